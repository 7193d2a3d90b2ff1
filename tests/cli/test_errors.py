"""Wrong usage exits 2, a run that failed exits 1; both in a line or two, never a traceback."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from spa_cli.command import reported
from spa_cli.console import printable
from stages.errors import WORK_KEPT, SpaError
from stages.pipeline import PIPELINE, Stage


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
        (["prepare"], "SOURCE"),
        (["prepare", "nowhere", "--layout", "tarball"], "--layout"),
        (["nonsense"], "nonsense"),
        (["evaluate", "--name", "a b"], "--name"),
        (["evaluate", "one", "--name", "two"], "--name"),
        (["evaluate", "predictions.csv"], "--scores predictions.csv"),
        (["evaluate", "--scores", b"\xff.npz".decode("utf-8", "surrogateescape")], "no UTF-8"),
        (["evaluate", "--workspace", b"\xff".decode("utf-8", "surrogateescape")], "no UTF-8"),
        (["evaluate", "--against", "../elsewhere"], "--against"),
        (["evaluate", "--threshold", "1.5"], "--threshold"),
        (["evaluate", "--top-k", "0"], "--top-k"),
        (["evaluate", "--scores", "x.parquet"], "--ontology"),
        (["evaluate", "--scores", "x.parquet", "--name", "../elsewhere"], "--name"),
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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pipe.safetensors", "is a pipe or a device, not a file"),
        ("folder.pt", "is a folder, not a file"),
        ("empty.pt", "is empty"),
        ("x" * 5000 + ".pt", "File name too long"),
        ("x:" + "x" * 5000, "no published checkpoint is called"),
    ],
    ids=["pipe", "folder", "empty", "long name", "long short name"],
)
def test_a_model_that_is_no_file(tmp_path: Path, name: str, message: str) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    (tmp_path / "folder.pt").mkdir()
    (tmp_path / "empty.pt").touch()
    done = spa("tag", "a.wav", "--model", name, cwd=tmp_path)
    assert done.returncode in {1, 2}
    error, step = said(done).splitlines()
    assert error.startswith(f"error: {name[:9]}") or f"'{name[:9]}" in error
    assert message in error
    assert step.startswith("  next: ")


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


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., list[str]]]:
    """Have an error reported, with or without the note that work was kept; the lines on stderr."""
    before = signal.getsignal(signal.SIGTERM)

    def report(
        error: BaseException, settings: type | None = None, *, kept: bool = False
    ) -> list[str]:
        if kept:
            error.add_note(WORK_KEPT)
        with pytest.raises(typer.Exit) as raised, reported(settings):
            raise error
        assert raised.value.exit_code == 1
        return capsys.readouterr().err.splitlines()

    yield report
    signal.signal(signal.SIGTERM, before)


def test_interrupted(told: Callable[..., list[str]]) -> None:
    line = "error: interrupted: the workspace is as it was before this command"
    assert told(KeyboardInterrupt()) == [line]
    assert told(KeyboardInterrupt(), kept=True) == [
        line,
        "  next: run the same command again to go on; what is done so far is kept",
    ]


def test_the_next_step_says_that_work_was_kept(told: Callable[..., list[str]]) -> None:
    assert told(SpaError("no", "do this")) == ["error: no", "  next: do this"]
    assert told(SpaError("no", "do this"), kept=True) == [
        "error: no",
        "  next: do this; what is done so far is kept",
    ]


@pytest.mark.parametrize(
    "stage", [*PIPELINE, None], ids=lambda stage: stage.name if stage else "demo"
)
def test_out_of_memory_names_options_that_the_command_has(
    told: Callable[..., list[str]], stage: Stage[Any, Any] | None
) -> None:
    line, step = told(MemoryError(), stage.settings if stage else None)
    assert line == "error: out of memory"
    named = re.findall(r"--([a-z-]+)", step)
    fields = stage.settings.model_fields if stage else {}
    assert all(option.replace("-", "_") in fields for option in named)
    assert ("batch-size" in named) == ("batch_size" in fields)
    assert ("workers" in named) == ("workers" in fields)
    assert named or "close other programs" in step


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


@pytest.mark.parametrize("then", ["import nowhere_at_all", "open('nowhere-at-all')"])
def test_ctrl_c_that_a_library_takes_for_its_own_failure_is_ctrl_c(then: str) -> None:
    """As dill does while it is imported: whatever fails, it imports something else instead."""
    program = f"""
import spa_cli.app
from spa_cli.main import main

def build_app():
    try:
        raise KeyboardInterrupt
    except:
        {then}

spa_cli.app.build_app = build_app
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert said(done) == "error: interrupted: the workspace is as it was before this command\n"


def under_spa(
    body: str, *, first: str = "pass", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Do `first`, then `body` where a command would be run."""
    program = f"""
import spa_cli.app
from spa_cli.command import reported
from spa_cli.main import main

def run():
    {first}
    with reported():
{body}

spa_cli.app.build_app = lambda: spa_cli.app.typer.Typer(callback=run, invoke_without_command=True)
main()
"""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, timeout=40)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_an_interrupt_waits_for_an_import_to_end(number: signal.Signals, tmp_path: Path) -> None:
    """C++ that imports, as torch's does while torch is imported, ends with SIGABRT when that raises."""
    (tmp_path / "interrupted.py").write_text(
        f"import signal, time\nsignal.raise_signal({number:d})\ntime.sleep(0.2)\nwhole = True\n",
        encoding="utf-8",
    )
    done = under_spa(
        """
        import interrupted, sys, time
        sys.stderr.write(f"whole: {interrupted.whole}\\n")
        time.sleep(50)  # a wait, too, ends when the signal comes again
""",
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert said(done).splitlines() == [
        "whole: True",
        "error: interrupted: the workspace is as it was before this command",
    ]


def test_ctrl_c_in_a_query_is_ctrl_c() -> None:
    """DuckDB makes a RuntimeError of it, and forgets what it was."""
    done = under_spa("""
        import os, signal, threading, duckdb
        threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT]).start()
        while True:  # one long query may be one task of DuckDB's, which ends before it looks
            duckdb.execute("SELECT sum(i % 7) FROM range(3000000) t(i)").fetchall()
""")
    assert done.returncode == 1
    assert said(done) == "error: interrupted: the workspace is as it was before this command\n"


def test_ctrl_c_before_the_command_begins() -> None:
    """typer's own exit code of it is 130."""
    done = under_spa("        pass", first="raise KeyboardInterrupt")
    assert done.returncode == 1
    assert said(done) == "error: interrupted: the workspace is as it was before this command\n"


@pytest.mark.parametrize(
    ("command", "option", "value", "why"),
    [
        ("train", "--epochs", "three", "should be a valid integer"),
        ("train", "--epochs", "0.5", "should be a valid integer"),
        ("train", "--encoder", "foo", "'foo' is not one of 'small'"),
        ("train", "--epochs", "-1", "greater than or equal to 0 (got -1)"),
        ("demo", "--seed", "three", "should be a valid integer"),
    ],
)
def test_a_bad_value_is_named(command: str, option: str, value: str, why: str) -> None:
    done = spa(command, option, value)
    assert done.returncode == 2
    (line,) = [line for line in said(done).splitlines() if line.startswith("Error: ")]
    assert value in line
    assert why in line
    assert "Value error" not in line
