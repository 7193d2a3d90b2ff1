"""Write shards in worker processes, whatever becomes of these."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from multiprocessing.connection import wait

from stages.errors import SpaError
from stages.prepare.shards import Encoding, FailedClip, Result, ShardTask, StoredClip
from stages.prepare.worker import Death, Message, Order, Signal, Worker

_CHANCES = 2  # the first death may be an outside kill


def write_shards(
    tasks: Iterable[ShardTask],
    encoding: Encoding,
    workers: Sequence[Worker],
    finished: Callable[[ShardTask, list[Result]], None],
    advance: Callable[[str], None],
) -> None:
    """Write all shards in worker processes; `tasks` is read no faster than they are written.

    `finished` is called with the results of a shard's clips, in their order, when the shard is on
    the disk; `advance` with the path of every clip that is done. In which order shards are finished
    depends on chance; what is in them does not, nor on the number of workers.

    When a worker dies or runs out of memory its shard is done again, now with an eye on every clip.
    A clip at which that then happens twice gets the result "decoder_died", and the rest of the shard
    is taken. Once is enough where the clip took more CPU time than any should.

    Raises:
        SpaError: workers do not start, or die when all clips of a shard are done.
        Exception: what a worker raised.
    """
    waiting = (_Shard(task, encoding, advance) for task in tasks)
    busy = {}
    for worker, shard in zip(workers, waiting, strict=False):
        worker.send(shard.order())
        busy[worker.connection] = worker, shard
    while busy:
        for connection in wait(list(busy)):
            worker, shard = busy.pop(connection)  # type: ignore[call-overload]  # what it was given
            message = worker.receive()
            if message is Signal.WRITTEN:
                following = next(waiting, None)
                if following is not None:  # first: the worker should not wait for the disk
                    worker.send(following.order())
                    busy[worker.connection] = worker, following
                shard.sync()
                finished(shard.task, shard.results)
                continue
            if shard.hear(message):
                worker.send(shard.order())
            busy[worker.connection] = worker, shard


class _Shard:
    """A shard at work: what is known of its clips."""

    def __init__(self, task: ShardTask, encoding: Encoding, advance: Callable[[str], None]) -> None:
        self.task = task
        self.results: list[Result] = []
        self._encoding, self._advance, self._advanced = encoding, advance, 0
        self._deaths: Counter[int] = Counter()
        self._failed: dict[int, FailedClip] = {}
        self._one_by_one = False

    def order(self) -> Order:
        return Order(self.task, self._encoding, self._failed, self._one_by_one)

    def hear(self, message: Message) -> bool:
        """Take what the worker says; true when the shard is to be done again."""
        if isinstance(message, Death):
            if message.started:
                self._died(message.how, chances=1 if message.hung else _CHANCES)
            return True
        if isinstance(message, MemoryError):
            self._died("it ran out of memory", _CHANCES)
            return True
        if isinstance(message, Exception):
            raise message
        if not isinstance(message, Signal):
            self._add(message)
        return False

    def sync(self) -> None:
        """Have the disk keep the shard, if any clip is in it."""
        if any(isinstance(result, StoredClip) for result in self.results):
            with (self._encoding.folder / self.task.name).open("rb+") as file:
                os.fsync(file.fileno())

    def _add(self, results: list[Result]) -> None:
        self.results += results
        while self._advanced < len(self.results):  # what a worker did that died later counts once
            self._advance(self.task.clips[self._advanced].path)
            self._advanced += 1

    def _died(self, how: str, chances: int) -> None:
        """Blame the clip that the worker was at, if that is known, and forget the results before it."""
        clip = len(self.results)
        self._deaths[clip] += self._one_by_one
        if self._deaths[clip] >= chances:
            if clip == len(self.task.clips):
                raise SpaError(
                    f"workers died when they finished {self._encoding.folder / self.task.name}: {how}",
                    "see that there is memory left, and run the same command again",
                )
            self._failed[clip] = FailedClip("decoder_died", how)
        self.results, self._one_by_one = [], True
