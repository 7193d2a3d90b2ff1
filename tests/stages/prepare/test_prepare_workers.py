"""Workers that die, workers that fail, and Ctrl-C."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.errors import SpaError
from stages.prepare.settings import PrepareSummary
from stages.prepare.shards import Encoding, FailedClip, ShardTask, StoredClip
from stages.prepare.workers import write_shards

Prepare = Callable[..., PrepareSummary]
WriteTone = Callable[[Path], None]


@pytest.fixture
def encoding(tmp_path: Path, write_tone: WriteTone) -> Encoding:
    """A root with four files, of which "bad.wav" cannot be decoded, and a folder for shards."""
    for name in ("a", "b", "c"):
        write_tone(tmp_path / f"root/{name}.wav")
    (tmp_path / "root/bad.wav").touch()
    (tmp_path / "audio").mkdir()
    return Encoding(tmp_path / "root", tmp_path / "audio", 8000, 60, {})


def task(number: int, *names: str) -> ShardTask:
    return ShardTask(f"part-{number}.parquet", tuple((name, f"{name}.wav") for name in names))


def test_results_are_in_the_order_of_the_tasks(encoding: Encoding) -> None:
    tasks = [task(0, "a", "bad", "b"), task(1, "bad"), task(2, "c")]
    seen: list[str] = []
    results = write_shards(tasks, encoding, 2, seen.append)
    assert [[type(result) for result in shard] for shard in results] == [
        [StoredClip, FailedClip, StoredClip],
        [FailedClip],
        [StoredClip],
    ]
    assert [result.row for result in results[0] if isinstance(result, StoredClip)] == [0, 1]
    assert sorted(seen) == ["a.wav", "b.wav", "bad.wav", "bad.wav", "c.wav"]
    # A shard with no clip is not written.
    written = sorted(path.name for path in encoding.folder.iterdir())
    assert written == ["part-0.parquet", "part-2.parquet"]
    assert multiprocessing.active_children() == []


def test_a_worker_that_dies(encoding: Encoding) -> None:
    def kill(path: str) -> None:
        if path == "b.wav":
            (worker,) = multiprocessing.active_children()
            os.kill(worker.pid or 0, signal.SIGKILL)
            worker.join()

    many = task(0, "a", "b", *["c"] * 2000)
    with pytest.raises(SpaError, match=r"a worker process died \(killed by SIGKILL\) at "):
        write_shards([many], encoding, 1, kill)
    assert multiprocessing.active_children() == []


def test_what_a_worker_cannot_do_is_raised_here(encoding: Encoding) -> None:
    encoding.folder.rmdir()
    with pytest.raises(FileNotFoundError) as raised:
        write_shards([task(0, "a"), task(1, "b")], encoding, 2, lambda _: None)
    assert "part-" in str(raised.value)
    assert any("in write_shard" in note for note in raised.value.__notes__)
    assert multiprocessing.active_children() == []


PROGRAM = """
import sys
from pathlib import Path
from stages.pipeline import PREPARE
from stages.prepare.settings import PrepareSettings
from stages.reporter import QuietReporter
from stages.runner import run_stage

source, ontology, workspace = map(Path, sys.argv[1:])
settings = PrepareSettings(source=source, ontology=ontology, workers=2)
run_stage(PREPARE, settings, workspace, QuietReporter())
"""


def children_of(pid: int) -> list[int]:
    listing = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listing.split()]


def interrupt(source: Path, ontology: Path, workspace: Path, moment: Callable[[], bool]) -> None:
    """Prepare in a process group of its own; at `moment`, interrupt the group as a terminal does."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, source, ontology, workspace],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not moment() or not children_of(process.pid):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    workers = children_of(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert stderr.count("Traceback") == 1  # of the program above, which does not catch it
    assert stderr.rstrip().endswith("KeyboardInterrupt")
    # The last to go is multiprocessing's own helper, which waits for the program to end.
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("shards", [0, 2])
def test_ctrl_c_leaves_the_workspace_as_it_was(
    shared: Path, tmp_path: Path, prepare: Prepare, write_tone: WriteTone, shards: int
) -> None:
    """Once while the workers still start, once while they write."""
    esc10, ontology = shared / "data/esc10", shared / "data/audioset/ontology.json"

    def begun(workspace: Path) -> Callable[[], bool]:
        audio = workspace / ".staging-prepare/audio"
        return lambda: audio.is_dir() and len(list(audio.glob("part-*"))) >= shards

    fresh, used = tmp_path / "fresh", tmp_path / "used"
    interrupt(esc10, ontology, fresh, begun(fresh))
    assert not fresh.exists()

    write_tone(tmp_path / "data/dog/a.wav")
    prepare(tmp_path / "data", used)
    before = {path: path.read_bytes() for path in used.rglob("*") if path.is_file()}
    interrupt(esc10, ontology, used, begun(used))
    assert {path: path.read_bytes() for path in used.rglob("*") if path.is_file()} == before
