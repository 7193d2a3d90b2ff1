"""A worker process: how it is started, spoken to and ended, and what it does."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from pathlib import Path

from stages.errors import SpaError
from stages.prepare.parquet_rows import AudioRows
from stages.prepare.shards import Encoding, FailedClip, Result, ShardTask, write_shard
from stages.processes import ignore_interrupts, interrupts_held

_PATIENCE_SECONDS = 5
_MOST_FAILED_STARTS = 3  # in a row
_STDERR = 2
_BLAS_THREADS = "OPENBLAS_NUM_THREADS"
_HUNG = None if sys.platform == "win32" else signal.SIGPROF  # what ITIMER_PROF sends
# Far beyond what any file takes: tens of times the speed of the sound is usual.
_CPU_SECONDS_A_FILE = 600


class Signal(Enum):
    """What a worker says beside the results of clips."""

    READY = "ready"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Order:
    """A shard to write. `known` are the results of the clips, by place, that must not be tried.

    `one_by_one`: the results are sent singly, so that it is known where a worker dies.
    """

    task: ShardTask
    encoding: Encoding
    known: dict[int, FailedClip]
    one_by_one: bool


@dataclass(frozen=True, slots=True)
class Death:
    """A worker's last message, in a way: how it ended, and whether it had come to its first shard.

    `hung`: it was ended because a file took more CPU time than any should.
    """

    how: str
    started: bool
    hung: bool


Message = list[Result] | Signal | Death | Exception


class Worker:
    """A process, and our end of the pipe to it. When the process dies, a fresh one takes its place."""

    connection: Connection

    def __init__(self) -> None:
        """Start the process. It can be sent an order before it is ready."""
        self._failed_starts = 0
        self._start()

    def _start(self) -> None:
        """Spawn: a fork of a process with threads may hang."""
        context = get_context("spawn")
        self._ready = False
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs,), daemon=True)
        try:
            self._process.start()
        finally:
            theirs.close()

    def send(self, order: Order) -> None:
        """Send a shard to write; a dead worker is found out when its answer is read."""
        with suppress(OSError):
            self.connection.send(order)

    def receive(self) -> Message:
        """Get the next message: results in order, then WRITTEN or what the worker raised.

        After a Death, and after an exception, the worker waits for an order.

        Raises:
            SpaError: processes die at their start, time and again.
        """
        try:
            message: Message = self.connection.recv()
        except (EOFError, OSError):
            message = self._death()
            self._replace(message)
        if message is Signal.READY:
            self._ready, self._failed_starts = True, 0
        return message

    def _death(self) -> Death:
        self._process.join(_PATIENCE_SECONDS)
        code = self._process.exitcode
        if code is None or code >= 0:
            return Death(f"exit code {code}", self._ready, hung=False)
        if -code == _HUNG:
            return Death("it did not come to an end", self._ready, hung=True)
        named = -code in set(signal.Signals)
        how = signal.Signals(-code).name if named else f"signal {-code}"
        return Death(f"killed by {how}", self._ready, hung=False)

    def _replace(self, death: Death) -> None:
        if not death.started:
            self._failed_starts += 1
        if self._failed_starts == _MOST_FAILED_STARTS:
            raise SpaError(
                f"worker processes die before their first file: {death.how}",
                "try fewer --workers, and see that there is memory left",
            )
        self.stop()
        _uninterrupted(self._start)

    def stop(self) -> None:
        """End the process at whatever it is."""
        self.connection.close()
        with suppress(ValueError, AttributeError):  # stopped before, or never started
            self._process.terminate()
            self._process.join(_PATIENCE_SECONDS)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            self._process.close()


@contextmanager
def started_workers(size: int) -> Iterator[Sequence[Worker]]:
    """Start `size` workers, which import while the caller does something else; end them at last.

    Raises:
        SpaError: the system starts no more.
    """
    workers: list[Worker] = []

    def start() -> None:
        for _ in range(size):
            workers.append(Worker())  # noqa: PERF401 - to stop those started if one fails

    try:
        _uninterrupted(start)
        yield workers
    finally:
        for worker in workers:
            worker.stop()


def _uninterrupted(start: Callable[[], None]) -> None:
    """Start processes in a thread: Ctrl-C does not reach it, so none is left half started."""

    def run() -> None:
        with interrupts_held(), _one_blas_thread():
            start()

    try:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(run).result()
    except OSError as error:
        why = error.strerror or error
        raise SpaError(f"no worker can be started: {why}", "try fewer --workers") from error


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Processes started in here have no threads for linear algebra, unless the user says how many.

    A worker has no use for them, and they spin when NumPy is imported: half of the import's time.
    """
    given = _BLAS_THREADS in os.environ
    os.environ.setdefault(_BLAS_THREADS, "1")
    try:
        yield
    finally:
        if not given:
            del os.environ[_BLAS_THREADS]


def _work(connection: Connection) -> None:
    """Write the shards that come through the pipe, until it is closed."""
    ignore_interrupts()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _be_the_one_to_go()
    # libsndfile's MP3 decoder prints its complaints; what matters of them is in the results.
    os.dup2(os.open(os.devnull, os.O_WRONLY), _STDERR)
    rows = AudioRows()
    with suppress(EOFError, OSError):  # the parent is gone
        connection.send(Signal.READY)
        while True:
            connection.send(_obey(connection.recv(), rows, connection))


def _obey(order: Order, rows: AudioRows, connection: Connection) -> Signal | Exception:
    limit = _CPU_SECONDS_A_FILE + order.encoding.max_seconds

    def report(results: list[Result]) -> None:
        connection.send(results)
        limit_cpu(limit)

    try:
        limit_cpu(limit)
        write_shard(
            order.task, order.encoding, rows, order.known, report, one_by_one=order.one_by_one
        )
    except Exception as error:  # the parent raises it
        error.add_note(traceback.format_exc())
        return error
    finally:
        limit_cpu(0)
    return Signal.WRITTEN


def limit_cpu(seconds: float) -> None:
    """End this process when it has used so much more CPU time; 0 takes the limit away.

    CPU time, so that neither a slow disk nor a busy machine makes a file hang. (Windows has none.)
    """
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _end_with_parent() -> None:
    """Nobody waits for what an orphan writes, and the next run may write the same shard."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _be_the_one_to_go() -> None:
    """When memory runs out, Linux should end the worker at a large file, and not its parent."""
    if sys.platform == "linux":
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500")
