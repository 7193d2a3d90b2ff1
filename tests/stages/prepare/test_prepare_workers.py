"""Workers that die, run out of memory, never come to an end, or fail; and Ctrl-C."""

import multiprocessing
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stages.errors import SpaError
from stages.prepare.shards import ClipTask, Encoding, FailedClip, Result, ShardTask, StoredClip
from stages.prepare.worker import Message, Signal, Worker, started_workers
from stages.prepare.workers import write_shards

WriteTone = Callable[[Path], None]
Results = dict[str, list[Result]]


def write_silence(path: Path, seconds: int) -> None:
    """Write 16 bit stereo at 44.1 kHz, as a file with a hole: it takes long to read and no disk."""
    size = seconds * 44100 * 4
    fmt = struct.pack("<HHIIHH", 1, 2, 44100, 44100 * 4, 4, 16)
    with path.open("wb") as file:
        file.write(
            b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt " + struct.pack("<I", 16) + fmt
        )
        file.write(b"data" + struct.pack("<I", size))
        file.truncate(44 + size)


@pytest.fixture
def encoding(tmp_path: Path, write_tone: WriteTone) -> Encoding:
    """A root with tones, a file that is none, one that takes a second, and a folder for shards."""
    for name in ("a", "b", "c"):
        write_tone(tmp_path / f"root/{name}.wav")
    (tmp_path / "root/bad.wav").write_text("bad")
    write_silence(tmp_path / "root/slow.wav", 600)
    (tmp_path / "audio").mkdir()
    return Encoding(tmp_path / "root", tmp_path / "audio", 8000, "flac", 0.0, 600, {})


def task(number: int, *names: str) -> ShardTask:
    clips = tuple(ClipTask(f"{number}{name}", f"{name}.wav") for name in names)
    return ShardTask(f"part-{number:05d}.parquet", clips)


def write(
    encoding: Encoding,
    *tasks: ShardTask,
    workers: int = 1,
    advance: Callable[[str], None] = lambda _: None,
) -> Results:
    results: Results = {}

    def finished(shard: ShardTask, found: list[Result]) -> None:
        results[shard.name] = found

    with started_workers(workers) as crew:
        write_shards(iter(tasks), encoding, crew, finished, advance)
    assert multiprocessing.active_children() == []
    return results


def written(encoding: Encoding) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in encoding.folder.iterdir()}


def at_second_clip(monkeypatch: pytest.MonkeyPatch, times: int, do: Callable[[int], None]) -> None:
    """Call `do` with the process id, so many times, when a worker has come to a shard's second clip.

    That is known once a worker died somewhere in the shard: the first is killed at its start.
    """
    receive = Worker.receive
    first, left = iter([True]), iter(range(times))

    def pid() -> int:
        (process,) = multiprocessing.active_children()
        assert process.pid is not None
        return process.pid

    def watched(worker: Worker) -> Message:
        message = receive(worker)
        if message is Signal.READY and next(first, False):
            os.kill(pid(), signal.SIGKILL)
        elif isinstance(message, list) and len(message) == 1:
            (result,) = message
            if isinstance(result, StoredClip) and result.row == 0 and next(left, None) is not None:
                do(pid())
        return message

    monkeypatch.setattr(Worker, "receive", watched)


def test_results_are_in_the_order_of_the_clips(encoding: Encoding) -> None:
    seen: list[str] = []
    tasks = task(0, "a", "bad", "b"), task(1, "bad"), task(2, "c")
    results = write(encoding, *tasks, workers=2, advance=seen.append)
    found = [[type(result) for result in results[task.name]] for task in tasks]
    assert found == [[StoredClip, FailedClip, StoredClip], [FailedClip], [StoredClip]]
    assert sorted(seen) == ["a.wav", "b.wav", "bad.wav", "bad.wav", "c.wav"]
    assert sorted(written(encoding)) == ["part-00000.parquet", "part-00002.parquet"]


def test_the_number_of_workers_changes_nothing(encoding: Encoding) -> None:
    tasks = [task(number, *"abcab"[number % 3 :], "bad") for number in range(9)]
    one = write(encoding, *tasks), written(encoding)
    for workers in (2, 3):
        assert (write(encoding, *tasks, workers=workers), written(encoding)) == one


def test_tasks_are_read_as_they_are_written(encoding: Encoding) -> None:
    events: list[str] = []

    def tasks() -> Iterator[ShardTask]:
        for number in range(6):
            events.append("read")
            yield task(number, "a")

    with started_workers(2) as crew:
        write_shards(tasks(), encoding, crew, lambda *_: events.append("written"), lambda _: None)
    for step in range(len(events)):
        assert events[:step].count("read") - events[:step].count("written") <= 3
    assert events.count("written") == 6


def test_nothing_to_write(encoding: Encoding) -> None:
    assert write(encoding) == {}


@pytest.mark.parametrize("times", [0, 1])
def test_a_worker_that_dies_once_at_a_clip_costs_nothing(
    encoding: Encoding, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    tasks = task(0, "a", "slow", "bad", "b"), task(1, "c")
    expected = write(encoding, *tasks), written(encoding)
    seen: list[str] = []
    at_second_clip(monkeypatch, times, lambda pid: os.kill(pid, signal.SIGKILL))
    assert (write(encoding, *tasks, advance=seen.append), written(encoding)) == expected
    assert seen == ["a.wav", "slow.wav", "bad.wav", "b.wav", "c.wav"]


def test_a_clip_at_which_workers_die_twice_is_the_only_one_lost(
    encoding: Encoding, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_out = write(encoding, task(0, "a", "b"))["part-00000.parquet"], written(encoding)
    at_second_clip(monkeypatch, 2, lambda pid: os.kill(pid, signal.SIGSEGV))
    (found,) = write(encoding, task(0, "a", "slow", "b")).values()
    assert found.pop(1) == FailedClip("decoder_died", "killed by SIGSEGV")
    assert (found, written(encoding)) == left_out


def test_a_clip_that_takes_all_time_is_not_tried_again(
    encoding: Encoding, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_second_clip(monkeypatch, 1, lambda pid: os.kill(pid, signal.SIGPROF))
    (found,) = write(encoding, task(0, "a", "slow", "b")).values()
    assert found[1] == FailedClip("decoder_died", "it did not come to an end")
    assert isinstance(found[2], StoredClip)


def test_the_time_that_a_clip_may_take() -> None:
    program = (
        "from stages.prepare.worker import limit_cpu\nlimit_cpu({})\nfor _ in range(10**7): pass"
    )
    codes = [
        subprocess.run([sys.executable, "-c", program.format(seconds)], check=False).returncode
        for seconds in ("0.01", "600", "0.01); limit_cpu(0")
    ]
    assert codes == [-signal.SIGPROF, 0, 0]


def test_a_clip_for_which_memory_is_too_little_is_the_only_one_lost(
    encoding: Encoding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of 600 s takes more than 100 MB as float samples; the worker gets 60 MB more."""

    def leave_little(pid: int) -> None:
        status = Path(f"/proc/{pid}/status").read_text()
        (kilobytes,) = re.findall(r"VmData:\s+(\d+) kB", status)
        limit = int(kilobytes) * 1024 + 60_000_000
        resource.prlimit(pid, resource.RLIMIT_DATA, (limit, limit))

    at_second_clip(monkeypatch, 1, leave_little)
    (found,) = write(encoding, task(0, "a", "slow", "b")).values()
    assert found[1] == FailedClip("decoder_died", "it ran out of memory")
    assert isinstance(found[2], StoredClip)
    assert sorted(written(encoding)) == ["part-00000.parquet"]


def test_workers_that_die_before_their_first_file(
    encoding: Encoding, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(SpaError, match="die before their first file: exit code 1") as raised:
        write(encoding, task(0, "a"))
    assert "--workers" in str(raised.value.next_step)
    assert multiprocessing.active_children() == []
    assert "/nowhere" in capfd.readouterr().err


def test_workers_that_cannot_be_started(encoding: Encoding) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)  # the lowest number that is free
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 10, limits[1]))
    try:
        with pytest.raises(SpaError, match="no worker can be started: Too many open files"):
            write(encoding, task(0, "a"), workers=30)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert multiprocessing.active_children() == []


def test_workers_have_no_threads_that_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    def environments() -> set[bytes]:
        with started_workers(2):
            processes = multiprocessing.active_children()
            read = [Path(f"/proc/{process.pid}/environ").read_bytes() for process in processes]
        entries = {entry for environment in read for entry in environment.split(b"\0")}
        return {entry for entry in entries if entry.startswith(b"OPENBLAS_NUM_THREADS")}

    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert environments() == {b"OPENBLAS_NUM_THREADS=1"}
    assert "OPENBLAS_NUM_THREADS" not in os.environ
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    assert environments() == {b"OPENBLAS_NUM_THREADS=3"}


def test_what_a_worker_cannot_do_is_raised_here(encoding: Encoding) -> None:
    encoding.folder.rmdir()
    with pytest.raises(FileNotFoundError) as raised:
        write(encoding, task(0, "a"), task(1, "b"), workers=2)
    assert "part-" in str(raised.value)
    assert any("in write_shard" in note for note in raised.value.__notes__)
    assert multiprocessing.active_children() == []


PROGRAM = """
import sys
from pathlib import Path
from stages.prepare.shards import ClipTask, Encoding, ShardTask
from stages.prepare.worker import started_workers
from stages.prepare.workers import write_shards

def main():
    root, folder = map(Path, sys.argv[1:])
    clips = tuple(ClipTask(name, f"{name}.wav") for name in ("slow", "long"))
    tasks = (ShardTask(f"part-{number:05d}.parquet", clips) for number in range(4))
    encoding = Encoding(root, folder, 8000, "flac", 0.0, 86400, {})
    with started_workers(2) as workers:
        print("started", flush=True)
        write_shards(tasks, encoding, workers, lambda *_: None, lambda path: print(path, flush=True))

if __name__ == "__main__":
    main()
"""


@pytest.fixture
def program(encoding: Encoding) -> subprocess.Popen[str]:
    """Two workers, each of which comes to a file that takes many seconds."""
    write_silence(encoding.root / "long.wav", 5400)
    (encoding.root / "program.py").write_text(PROGRAM)
    return subprocess.Popen(
        [sys.executable, encoding.root / "program.py", encoding.root, encoding.folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def children_of(pid: int) -> list[int]:
    listing = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listing.split()]


def wait_for_lines(program: subprocess.Popen[str], lines: int) -> list[int]:
    """The program's children once it has said so much."""
    assert program.stdout is not None
    assert all(program.stdout.readline() for _ in range(lines)), program.communicate()
    return children_of(program.pid)


def wait_until_gone(processes: list[int]) -> None:
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{process}").exists() for process in processes):
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("lines", [1, 3])
def test_ctrl_c(program: subprocess.Popen[str], lines: int) -> None:
    """Once while the workers still start, once while they write."""
    processes = wait_for_lines(program, lines)
    os.killpg(program.pid, signal.SIGINT)
    _, stderr = program.communicate(timeout=60)
    assert program.returncode == -signal.SIGINT
    assert stderr.count("Traceback") == 1  # of the program above, which does not catch it
    assert stderr.rstrip().endswith("KeyboardInterrupt")
    wait_until_gone(processes)


def test_workers_end_with_their_parent(encoding: Encoding, program: subprocess.Popen[str]) -> None:
    """At once, in the middle of a file: another run may be about to write the same shard."""
    processes = wait_for_lines(program, 3)
    program.kill()
    wait_until_gone(processes)
    program.communicate()
    # A worker that had gone on to the end of the file would have closed its shard, with a footer.
    shards = written(encoding)
    assert sorted(shards) == ["part-00000.parquet", "part-00001.parquet"]
    assert not any(shard.endswith(b"PAR1") for shard in shards.values())
