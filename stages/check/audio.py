"""Check the audio folder, shard by shard, in threads: what decodes and hashes lets go of Python's lock."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from stages.check.findings import Findings
from stages.check.shards import ExpectedClip, ShardReport, check_shard
from stages.reporter import Task

_SHARDS_AHEAD = 2  # for each thread: they wait in memory


@dataclass
class AudioTotals:
    """What the audio folder holds of the clips: bytes of all, seconds of those that can be decoded."""

    shards: int = 0
    seconds: float = 0.0
    audio_bytes: int = 0
    sample_rate: int | None = None


def check_audio(
    folder: Path,
    clips: Iterable[tuple[Any, ...]],
    workers: int,
    findings: Findings,
    task: Task,
) -> AudioTotals:
    """Check every shard that `clips` name, and that there is no other file in `folder`.

    `clips` are rows (shard, row, clip_id, audio_sha256, duration_seconds) in the order of the
    shards. Memory does not grow with their number.
    """
    totals, named = AudioTotals(), set()
    for name, count, report in _in_order(folder, clips, workers):
        named.add(name)
        totals.shards += 1
        totals.seconds += report.seconds
        totals.audio_bytes += report.audio_bytes
        for where, what in report.problems:
            findings.add(where, what)
        for rate, where in report.sample_rates.items():
            totals.sample_rate = totals.sample_rate or rate
            if rate != totals.sample_rate:
                findings.add(where, f"{rate} Hz, where others have {totals.sample_rate} Hz")
        task.advance(count, name)
    if folder.is_dir():
        for extra in sorted(path.name for path in folder.iterdir() if path.name not in named):
            what = "no clip of clips.parquet is in it"
            findings.add(f"audio/{extra}", what, "take it out of the folder")
    return totals


def _in_order(
    folder: Path, clips: Iterable[tuple[Any, ...]], workers: int
) -> Iterator[tuple[str, int, ShardReport]]:
    """The name of each shard, how many clips it is to hold, and what was found."""
    pool = ThreadPoolExecutor(workers)
    waiting: deque[tuple[str, int, Future[ShardReport]]] = deque()
    try:
        for name, group in groupby(clips, itemgetter(0)):
            expected = [ExpectedClip(*clip[1:]) for clip in group]
            report = pool.submit(check_shard, folder, name, expected)
            waiting.append((name, len(expected), report))
            if len(waiting) > _SHARDS_AHEAD * workers:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)
    finally:
        pool.shutdown(cancel_futures=True)


def _first(waiting: deque[tuple[str, int, Future[ShardReport]]]) -> tuple[str, int, ShardReport]:
    name, count, report = waiting.popleft()
    return name, count, report.result()
