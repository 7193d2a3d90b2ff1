"""`spa prepare --check` as a person types it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SPA = [sys.executable, "-c", "from spa_cli.main import main; main()"]


def check(workspace: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*SPA, "prepare", "--check", "--workspace", str(workspace), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def prepared(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that `spa prepare` has made."""
    workspace = tmp_path_factory.mktemp("prepared") / "W"
    command = [*SPA, "prepare", str(tones), "--workspace", str(workspace)]
    subprocess.run(command, capture_output=True, check=True)
    return workspace


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_a_whole_workspace(prepared: Path) -> None:
    before = content(prepared)
    done = check(prepared)
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    assert first.startswith("40 clips (0.01 hours, ")
    assert first.endswith(" shards, 4 labels, 0 rejects")
    assert last == "whole"
    assert content(prepared) == before


def test_the_flag_may_be_added_to_the_command_that_prepared(prepared: Path, tones: Path) -> None:
    before = content(prepared)
    done = check(prepared, str(tones), "--sample-rate", "16000", "--force")
    assert done.returncode == 0, done.stderr
    assert content(prepared) == before


def test_json_is_one_document(prepared: Path) -> None:
    done = check(prepared, "--json", "--workers", "1")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["whole"] is True
    assert summary["clips"] == 40
    assert summary["sample_rate"] == 32000
    assert summary["problems"] == []


def test_a_damaged_workspace(prepared: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "W"
    shutil.copytree(prepared, workspace)
    shard = min((workspace / "audio").iterdir())
    damaged = bytearray(shard.read_bytes())
    place = damaged.index(b"fLaC") + 2000
    damaged[place] ^= 1
    shard.write_bytes(damaged)
    done = check(workspace)
    assert done.returncode == 1
    _, problem, last = done.stdout.splitlines()
    assert problem.startswith(f"audio/{shard.name} row 0: the bytes of the clip ")
    assert problem.endswith("; next: run `spa prepare SOURCE --force` again")
    assert last == "not whole: 1 problem"
    summary = json.loads(check(workspace, "--json").stdout)
    assert summary["whole"] is False
    assert summary["problem_count"] == 1
    assert summary["problems"][0]["where"] == f"audio/{shard.name} row 0"


def test_nothing_was_prepared(tmp_path: Path) -> None:
    done = check(tmp_path / "W")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "holds nothing that `spa prepare` has made" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["prepare"], "SOURCE is missing"),
        (["prepare", "--json"], "SOURCE is missing"),
        (["prepare", "--check", "--workers", "0"], "--workers"),
    ],
)
def test_wrong_usage(arguments: list[str], named: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*SPA, *arguments], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 2
    assert named in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []
