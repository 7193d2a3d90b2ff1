"""`spa train`, killed again and again, ends with the bytes of a training that nobody disturbed."""

import json
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors import safe_open

from stages.embed_labels.settings import EmbedLabelsSettings
from stages.pipeline import EMBED_LABELS, PREPARE
from stages.prepare.settings import PrepareSettings
from stages.reporter import QuietReporter
from stages.runner import run_stage

SPA = [sys.executable, "-c", "from spa_cli.main import main; main()"]
# Whatever has a state of its own: optimiser, average, gathered gradients, patience, the best epoch.
OPTIONS = shlex.split(
    "--epochs 14 --batch-size 5 --accumulate 2 --average ema --alignment-weight 0.5 --patience 12"
    " --gain-db 3 --time-roll-share 0.2 --sampling balanced --device cpu --save-minutes 0"
)
TRAIN = [*SPA, "train", *OPTIONS, "--workspace"]
# No file of more than 2 MB: the model fits, the state of the training with its two moments does not.
CRAMPED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY));"


@pytest.fixture(scope="module")
def prepared(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kills") / "W"
    run_stage(PREPARE, PrepareSettings(source=tones, workers=1), folder, QuietReporter())
    run_stage(EMBED_LABELS, EmbedLabelsSettings(text_encoder="minilm"), folder, QuietReporter())
    return folder


def made(workspace: Path) -> dict[str, bytes]:
    folder = workspace / "runs" / "main"
    return {
        name: (folder / name).read_bytes()
        for name in ("model.safetensors", "history.parquet", "train.toml")
    }


def calm_training(prepared: Path, workspace: Path) -> dict[str, bytes]:
    shutil.copytree(prepared, workspace)
    subprocess.run([*TRAIN, str(workspace)], capture_output=True, check=True)
    return made(workspace)


def check_kills(prepared: Path, tmp_path: Path, kills: int) -> None:
    start = time.monotonic()
    expected = calm_training(prepared, tmp_path / "calm")
    longest = time.monotonic() - start
    chance = random.Random(kills)  # noqa: S311 - when to kill, no secret
    workspace, done, gone_on = tmp_path / "killed", 0, 0
    while True:
        if not workspace.exists():
            shutil.copytree(prepared, workspace)
        process = subprocess.Popen(
            [*TRAIN, str(workspace)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        if done < kills:
            try:
                process.wait(chance.uniform(0.3, 1.1) * longest)
            except subprocess.TimeoutExpired:
                process.kill()
        _, said = process.communicate()
        gone_on += "going on from" in said
        if process.returncode == -signal.SIGKILL:
            done += 1
            continue
        assert process.returncode == 0, said
        assert made(workspace) == expected
        assert not list(workspace.glob(".staging-*"))
        if done >= kills:
            break
        shutil.rmtree(workspace)
    assert gone_on > 0, "no training was killed in the middle"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_disk_that_is_full_while_saving(prepared: Path, tmp_path: Path) -> None:
    expected = calm_training(prepared, tmp_path / "calm")
    workspace = tmp_path / "cramped"
    shutil.copytree(prepared, workspace)
    before = sorted(path.name for path in workspace.iterdir())
    command = [sys.executable, "-c", CRAMPED + SPA[2], *TRAIN[3:], str(workspace)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (problem,) = [line for line in done.stderr.splitlines() if "cannot be written" in line]
    assert f"{workspace}/.staging-train-main/training/state.safetensors cannot" in problem
    assert problem.endswith("larger than is allowed here (a file size limit of 2 MB is set)")
    assert "Traceback" not in done.stderr
    assert not (workspace / "runs" / "main" / "model.safetensors").exists()
    visible = {path.name for path in workspace.iterdir() if not path.name.startswith(".")}
    assert visible <= {*before, "runs"}
    subprocess.run([*TRAIN, str(workspace)], capture_output=True, check=True)
    assert made(workspace) == expected


def test_five_kills(prepared: Path, tmp_path: Path) -> None:
    check_kills(prepared, tmp_path, kills=5)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_fifty_kills(prepared: Path, tmp_path: Path) -> None:
    check_kills(prepared, tmp_path, kills=50)


def has_best(state: Path) -> bool:
    """Whether the saved state knows of a model to keep."""
    if not state.exists():
        return False
    with safe_open(state, "pt") as file:
        return json.loads(file.metadata()["progress"])["best"] is not None


def stopped_after_an_epoch(prepared: Path, workspace: Path, *options: str) -> Path:
    """Kill a training once its state is saved; the folder where that is."""
    shutil.copytree(prepared, workspace)
    folder = workspace / ".staging-train-main" / "training"
    process = subprocess.Popen([*TRAIN, str(workspace), *options], stderr=subprocess.DEVNULL)
    while not has_best(folder / "state.safetensors"):
        assert process.poll() is None, "it has finished"
        time.sleep(0.01)
    process.kill()
    process.wait()
    return folder


def test_the_run_is_there_no_sooner_than_its_saved_state(prepared: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "W"
    shutil.copytree(prepared, workspace)
    command = [*TRAIN, str(workspace), "--save-minutes", "60"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    state = workspace / ".staging-train-main" / "training" / "state.safetensors"
    while not (workspace / "runs").exists():
        assert process.poll() is None, "it has finished"
        time.sleep(0.001)
    assert state.exists()
    process.kill()
    process.wait()


def test_another_training_of_the_name_says_what_it_throws_away(
    prepared: Path, tmp_path: Path
) -> None:
    folder = stopped_after_an_epoch(prepared, tmp_path / "W")
    command = [*SPA, "train", "--epochs", "1", "--workspace", str(tmp_path / "W")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "had done for train-main is thrown away" in done.stderr
    assert not folder.exists()


def test_what_the_disk_has_changed_is_not_trained_on(prepared: Path, tmp_path: Path) -> None:
    folder = stopped_after_an_epoch(prepared, tmp_path / "W")
    (best,) = folder.glob("best-*.safetensors")
    for damaged in (folder / "state.safetensors", best):
        whole = damaged.read_bytes()
        flipped = bytearray(whole)
        flipped[-5] ^= 1
        damaged.write_bytes(flipped)
        done = subprocess.run(
            [*TRAIN, str(tmp_path / "W")], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "cannot be gone on from" in done.stderr
        assert "--force" in done.stderr
        damaged.write_bytes(whole)
    subprocess.run([*TRAIN, str(tmp_path / "W")], capture_output=True, check=True)
    assert made(tmp_path / "W") == calm_training(prepared, tmp_path / "calm")


def test_a_training_in_float16_goes_on(prepared: Path, tmp_path: Path) -> None:
    """Its gradient scaler has a state of whole numbers and others."""
    precision = ("--precision", "float16", "--epochs", "2", "--patience", "0")
    stopped_after_an_epoch(prepared, tmp_path / "W", *precision)
    command = [*TRAIN, str(tmp_path / "W"), *precision]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "going on from" in done.stderr
