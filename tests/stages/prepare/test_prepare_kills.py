"""`spa prepare`, killed again and again, ends with the bytes of a run that nobody disturbed."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SPA = [sys.executable, "-c", "from spa_cli.main import main; main()"]


def command(source: Path, ontology: Path, workspace: Path, workers: int) -> list[str]:
    options = ("--ontology", ontology, "--workspace", workspace, "--workers", workers)
    return [*SPA, "prepare", str(source), *map(str, options)]


def contents(workspace: Path) -> dict[str, bytes]:
    files = (path for path in workspace.rglob("*") if path.is_file())
    return {str(path.relative_to(workspace)): path.read_bytes() for path in files}


def run_and_kill(arguments: list[str], seconds: float, *, whole_group: bool) -> int:
    """Start the command, and kill it with SIGKILL after `seconds`, with its workers or without."""
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        if whole_group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()  # the workers are orphans, and must not write on
    return process.wait()


def clips_of_esc10(shared: Path, root: Path, every: int) -> Path:
    for folder in sorted((shared / "data/esc10").iterdir()):
        for file in sorted(folder.iterdir())[::every] if folder.is_dir() else []:
            (root / folder.name).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, root / folder.name / file.name)
    (root / "001 - Dog bark/broken.ogg").write_text("no audio")
    return root


def check_kills(shared: Path, tmp_path: Path, every: int, kills: int) -> None:
    source = clips_of_esc10(shared, tmp_path / "esc10", every)
    ontology = shared / "data/audioset/ontology.json"
    start = time.monotonic()
    subprocess.run(command(source, ontology, tmp_path / "calm", 2), capture_output=True, check=True)
    longest = time.monotonic() - start
    calm = contents(tmp_path / "calm")
    assert all(not name.startswith(".") for name in calm)
    chance = random.Random(every)  # noqa: S311 - when to kill, no secret
    done, finished = 0, 0
    while done < kills:
        workspace = tmp_path / f"killed-{finished}"
        arguments = command(source, ontology, workspace, chance.randint(1, 3))
        seconds = chance.uniform(0, 1.2 * longest)
        code = run_and_kill(arguments, seconds, whole_group=chance.random() < 0.5)
        if code == -signal.SIGKILL:
            done += 1
            continue
        assert code == 0
        assert contents(workspace) == calm
        shutil.rmtree(workspace)
        finished += 1
    subprocess.run(command(source, ontology, workspace, 2), capture_output=True, check=True)
    assert contents(workspace) == calm


def test_ten_kills(shared: Path, tmp_path: Path) -> None:
    check_kills(shared, tmp_path, every=5, kills=10)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_kills(shared: Path, tmp_path: Path) -> None:
    check_kills(shared, tmp_path, every=1, kills=200)
