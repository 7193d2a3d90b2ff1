"""Wrong usage exits 2, a run that failed exits 1; both in a line or two, never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from spa_cli.console import printable


def spa(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from spa_cli.main import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["train", "--alignment-weight", "-1"], "--alignment-weight"),
        (["train", "--name", "../elsewhere"], "--name"),
        (["train", "--encoder", "resnet"], "--encoder"),
        (["tag"], "files"),
        (["tag", "a.wav", "--topk", "0"], "--topk"),
        (["prepare"], "source"),
        (["prepare", "nowhere", "--layout", "tarball"], "--layout"),
        (["nonsense"], "nonsense"),
        (["evaluate", "--name", "a b"], "--name"),
    ],
)
def test_wrong_usage(arguments: list[str], named: str, tmp_path: Path) -> None:
    done = spa(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert named in said(done)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "stage", ["embed-labels", "train", "evaluate --name main", "tag x.wav --model main"]
)
def test_a_stage_before_its_input_exists(stage: str, tmp_path: Path) -> None:
    done = spa(*stage.split(), "--workspace", "W", cwd=tmp_path)
    assert done.returncode == 1
    lines = said(done).splitlines()
    assert len(lines) == 2
    assert "does not exist" in lines[0]
    assert "spa " in lines[1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stage", ["evaluate", "tag x.wav"])
def test_no_model_yet(stage: str, tmp_path: Path) -> None:
    done = spa(*stage.split(), "--workspace", "W", cwd=tmp_path)
    assert done.returncode == 1
    assert said(done).splitlines() == [
        "error: no trained model in W",
        "  next: run `spa train --workspace W` first",
    ]


@pytest.mark.parametrize("stage", ["prepare .", "embed-labels", "train", "evaluate", "tag x.wav"])
def test_a_workspace_that_is_a_file(stage: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    done = spa(*stage.split(), "--workspace", "file", cwd=tmp_path)
    assert done.returncode == 2
    assert "file is a file" in said(done)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_untrusted_names_cannot_move_the_cursor() -> None:
    assert printable("a\x1b[2Jb\nc é 音") == "a\\x1b[2Jb\\nc é 音"


def test_version() -> None:
    done = spa("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("spa ")


def test_json_is_one_document_on_stdout(tones: Path, tmp_path: Path) -> None:
    done = spa("prepare", str(tones), "--workspace", str(tmp_path / "W"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["labels"] == 4
