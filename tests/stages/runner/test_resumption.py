"""What a stopped run leaves, who goes on with it, and what it says; a disk that takes no more."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stages.atomic import replacing
from stages.disk import disk_errors_named
from stages.errors import WORK_KEPT, ArtifactError, DiskFullError, SpaError

Job = Callable[..., Any]


@pytest.fixture
def numbers(job: Job, tmp_path: Path) -> Callable[..., tuple[str, list[str]]]:
    """Run the stage with these settings: what came of it, and the pieces that were begun."""

    def run(**values: object) -> tuple[str, list[str]]:
        log = tmp_path / "log"
        log.write_text("")
        end = job("run", json.dumps({"log": str(log), **values}))
        return end, log.read_text().split()

    return run


Numbers = Callable[..., tuple[str, list[str]]]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("interrupt", "KeyboardInterrupt"),
        ("error", "SpaError: stopped on demand | demand something else"),
        ("memory", "MemoryError"),
    ],
)
def test_the_same_run_goes_on_and_says_that_it_will(
    numbers: Numbers, tmp_path: Path, how: str, said: str
) -> None:
    assert numbers(stop_at=0, stop_with=how) == (said, ["0"])
    assert not (tmp_path / "W").exists(), "nothing was done: nothing to keep"
    assert numbers(stop_at=3, stop_with=how) == (f"{said} | {WORK_KEPT}", ["0", "1", "2", "3"])
    assert [path.name for path in (tmp_path / "W").iterdir()] == [".staging-numbers"]
    assert numbers() == ("done", ["3", "4", "5", "6", "7"])
    assert sorted(path.name for path in (tmp_path / "W").iterdir()) == [
        "all.txt",
        "lineage",
        "numbers",
    ]


def test_another_run_does_not_go_on(numbers: Numbers, tmp_path: Path) -> None:
    numbers(stop_at=3)
    assert numbers(word="other", stop_at=2)[1] == ["0", "1", "2"]
    assert numbers(stop_at=1)[1] == ["0", "1"]
    assert numbers()[1] == ["1", "2", "3", "4", "5", "6", "7"]
    assert (tmp_path / "W" / "numbers" / "0.txt").read_text() == "new 0"


@pytest.mark.parametrize("how", ["interrupt", "error", "memory"])
def test_another_run_that_does_nothing_costs_nothing(
    numbers: Numbers, tmp_path: Path, how: str
) -> None:
    """A wrong option, or Ctrl-C right after a typing error, must not throw days of training away."""
    numbers(stop_at=3)
    end, begun = numbers(word="other", stop_at=0, stop_with=how)
    assert begun == ["0"]
    assert WORK_KEPT not in end, "the same command would not go on from it"
    assert [path.name for path in (tmp_path / "W").iterdir()] == [".staging-numbers"]
    assert numbers() == ("done", ["3", "4", "5", "6", "7"])


def test_another_run_that_is_done_leaves_nothing_of_the_first(
    numbers: Numbers, tmp_path: Path
) -> None:
    numbers(stop_at=3)
    assert numbers(word="other")[0] == "done"
    assert not [path for path in (tmp_path / "W").iterdir() if path.name.startswith(".")]


def test_work_for_another_run_is_kept_while_nothing_has_changed(numbers: Numbers) -> None:
    assert numbers()[0] == "done"
    numbers(word="other", stop_at=6)
    assert numbers() == ("unchanged", [])
    assert numbers(word="other") == ("done", ["6", "7"])


def test_work_that_nobody_needs_any_more_is_removed(numbers: Numbers, tmp_path: Path) -> None:
    numbers()
    (tmp_path / "W" / "all.txt").rename(tmp_path / "aside")
    assert WORK_KEPT in numbers(stop_at=6)[0]
    (tmp_path / "aside").rename(tmp_path / "W" / "all.txt")
    assert numbers() == ("unchanged", [])
    assert not (tmp_path / "W" / ".staging-numbers").exists()


LARGER = "it would be larger than is allowed here"
LIMIT = "(a file size limit of 100 kB is set)"


@pytest.mark.parametrize(
    ("writer", "reason", "ending", "next_step"),
    [
        ("device", "no space is left on the disk", " free)", "free space on that disk"),
        ("plain", LARGER, LIMIT, "allow larger files (`ulimit -f`)"),
        ("parquet", LARGER, LIMIT, "allow larger files (`ulimit -f`)"),
        ("duckdb", LARGER, LIMIT, "allow larger files (`ulimit -f`)"),
    ],
)
def test_no_space(
    job: Job, tmp_path: Path, writer: str, reason: str, ending: str, next_step: str
) -> None:
    """The limits are the system's own: /dev/full, and RLIMIT_FSIZE for each library that writes."""
    found = job("too-large", writer)
    error, step, kept = found["end"].split(" | ")
    assert f"{tmp_path}/W/.staging-numbers" in error
    assert f"cannot be written: {reason} (" in error
    assert error.endswith(ending)
    if writer == "plain":  # the others leave no file, or write whole blocks
        assert error.startswith(f"DiskFullError: {tmp_path}/W/.staging-numbers/numbers/large ")
    assert step.startswith(next_step)
    assert step.endswith("then run the same command again")
    assert kept == WORK_KEPT
    assert found["same"], "the artifacts of the run before are as they were"
    assert found["again"] == "done"
    assert found["begun"] == ["2", "3", "4", "5", "6", "7"]


def test_the_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    error = OSError(28, "No space left on device", "audio/part-00007.parquet")
    with (
        pytest.raises(
            DiskFullError, match=r"^audio/part-00007.parquet cannot be written: no space"
        ),
        disk_errors_named(tmp_path),
    ):
        raise error
    with pytest.raises(DiskFullError), disk_errors_named(tmp_path):
        raise SpaError("a worker failed") from error


def test_a_file_that_was_to_be_replaced_is_named_by_its_own_name(tmp_path: Path) -> None:
    """Not by the temporary one, whether the system names that or, when it writes, none."""
    with pytest.raises(OSError, match="too large") as unnamed, replacing(tmp_path / "state"):
        raise OSError(27, "File too large")
    assert unnamed.value.filename == str(tmp_path / "state")
    with pytest.raises(PermissionError) as named, replacing(tmp_path / "state") as temporary:
        raise PermissionError(13, "Permission denied", str(temporary))
    assert named.value.filename == str(tmp_path / "state")
    with pytest.raises(BrokenPipeError) as other, replacing(tmp_path / "state"):
        raise BrokenPipeError(32, "Broken pipe")
    assert other.value.filename is None


def test_a_file_system_has_a_limit_too(tmp_path: Path) -> None:
    error = OSError(27, "File too large", "large.tar")
    with pytest.raises(DiskFullError) as caught, disk_errors_named(tmp_path):
        raise error
    assert caught.value.message == (
        f"large.tar cannot be written: {LARGER} (the limit of its file system)"
    )


def test_a_path_too_long_has_a_next_step(tmp_path: Path) -> None:
    with pytest.raises(SpaError, match="File name too long") as caught, disk_errors_named(tmp_path):
        (tmp_path / ("x" * 5000)).stat()
    assert caught.value.next_step == "give a shorter path"


def test_other_errors_are_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    named = "No space left on device.wav is no audio"  # a file may have any name
    with pytest.raises(ArtifactError, match="is no audio"), disk_errors_named(tmp_path):
        raise ArtifactError(named)
    with pytest.raises(SpaError, match=r"^x: Permission denied$"), disk_errors_named(tmp_path):
        raise PermissionError(13, "Permission denied", "x")
    with pytest.raises(ValueError, match="is no audio"), disk_errors_named(tmp_path):
        raise ValueError(named)


@pytest.mark.parametrize(
    "path", ["../victim", "a/../../victim", "{folder}/W/.staging-evil/victim", ""]
)
def test_a_journal_moves_nothing_out_of_the_workspace(
    numbers: Numbers, tmp_path: Path, path: str
) -> None:
    """A workspace from elsewhere may hold any journal."""
    staging = tmp_path / "W" / ".staging-evil"
    (staging / "a").mkdir(parents=True)
    (tmp_path / "W" / "a").mkdir()
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "W" / "victim").write_text("theirs")
    outputs = {path.format(folder=tmp_path): ""}
    journal = {"fingerprint": "", "outputs": outputs, "summary": {}}
    (staging / ".journal.json").write_text(json.dumps(journal))
    assert numbers()[0] == "done"
    assert (tmp_path / "victim").read_text() == "mine"
    assert not staging.exists()
    assert not (tmp_path / "W" / "lineage" / "evil.json").exists()
