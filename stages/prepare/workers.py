"""Worker processes that write shards. Ctrl-C stops them quietly; one that dies is not overlooked."""

import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait

from stages.errors import SpaError
from stages.prepare.shards import Encoding, Result, ShardTask, write_shard
from stages.processes import ignore_interrupts, interrupts_held

_PATIENCE_SECONDS = 5
_STDERR = 2


def write_shards(
    tasks: Sequence[ShardTask],
    encoding: Encoding,
    workers: int,
    advance: Callable[[str], None],
) -> list[list[Result]]:
    """Write all shards in worker processes; the results of the clips of each shard, in order.

    `advance` is called with the path of every file that is done. What is written does not depend on
    the number of `workers`.

    Raises:
        SpaError: a worker died; the message names the file that it was at.
        Exception: what a worker raised.
    """
    results: dict[str, list[Result]] = {task.name: [] for task in tasks}
    waiting = iter(tasks)
    with _crew(min(workers, len(tasks)), encoding) as crew:
        busy = {worker.connection: worker for worker in crew if worker.take_next(waiting)}
        while busy:
            for connection in wait(list(busy)):
                worker = busy[connection]  # type: ignore[index]  # wait() gives what it was given
                done = results[worker.task.name]
                result = worker.receive(len(done))
                if result is not None:
                    done.append(result)
                    advance(worker.task.clips[len(done) - 1][1])
                elif not worker.take_next(waiting):
                    del busy[worker.connection]
    return list(results.values())


class _Worker:
    """A process, our end of the pipe to it, and the shard that it is at."""

    task: ShardTask

    def __init__(self, encoding: Encoding) -> None:
        """Start the process. It is spawned: a fork of a process with threads may hang."""
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, encoding), daemon=True)
        self.process.start()
        theirs.close()

    def take_next(self, waiting: Iterator[ShardTask]) -> bool:
        """Send the next shard; false when there is none."""
        task = next(waiting, None)
        if task is not None:
            self.task = task
            with suppress(OSError):  # a dead worker is found out when its answer is read
                self.connection.send(task)
        return task is not None

    def receive(self, clips_done: int) -> Result | None:
        """Get the next result of the shard; None when it is written."""
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            self.process.join(_PATIENCE_SECONDS)
            names = [path for _, path in self.task.clips] + [self.task.name]
            raise SpaError(
                f"a worker process died ({self._how_it_ended()}) at {names[clips_done]}",
                "take the file out of the source folder, or try fewer --workers",
            ) from None
        if isinstance(message, Exception):
            raise message
        return message  # type: ignore[no-any-return]

    def _how_it_ended(self) -> str:
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"

    def stop(self) -> None:
        """End the process at whatever it is."""
        self.process.terminate()
        self.process.join(_PATIENCE_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()
        self.connection.close()


@contextmanager
def _crew(size: int, encoding: Encoding) -> Iterator[list[_Worker]]:
    crew: list[_Worker] = []
    try:
        # A thread is not interrupted, so no worker is left half started.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(_start, crew, size, encoding).result()
        yield crew
    finally:
        for worker in crew:
            worker.stop()


def _start(crew: list[_Worker], size: int, encoding: Encoding) -> None:
    with interrupts_held():
        for _ in range(size):
            crew.append(_Worker(encoding))  # noqa: PERF401 - to stop those started if one fails


def _work(connection: Connection, encoding: Encoding) -> None:
    """Write the shards that come through the pipe, until it is closed."""
    ignore_interrupts()
    # libsndfile's MP3 decoder prints its complaints; what matters of them is in the results.
    os.dup2(os.open(os.devnull, os.O_WRONLY), _STDERR)
    try:
        while True:
            task = connection.recv()
            try:
                write_shard(task, encoding, connection.send)
            except Exception as error:  # the parent raises it
                error.add_note(traceback.format_exc())
                connection.send(error)
            else:
                connection.send(None)
    except (EOFError, OSError):
        return  # the parent is gone
