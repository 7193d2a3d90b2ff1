"""Take the part that is wanted out of a stream of blocks, and no more of it into memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from stages.audio.blocks import Block
from stages.errors import AudioError

_TOLERANCE_SECONDS = 0.5  # files that others have cut are some codec frames longer than the segment

_FOR_EVER_SECONDS = 1e9  # a list may hold numbers that overflow when they are multiplied


@dataclass(frozen=True, slots=True)
class Cut:
    """The part of a source that is wanted, in seconds; None is its beginning, or its end.

    `only_if_longer`: a source that is no longer than the part (0.5 s more at most) is the part
    already, and is taken whole.
    """

    start_seconds: float | None
    end_seconds: float | None
    only_if_longer: bool = False


@dataclass
class Run:
    """Blocks of one rate in a row.

    `begins_at` says where in the source, in seconds; `samples` were read and those in `kept`, each
    (samples,) float32, are wanted.
    """

    rate: int
    begins_at: float
    channels: int
    samples: int = 0
    kept: list[NDArray[np.float32]] = field(default_factory=list)

    def index(self, seconds: float) -> int:
        """Give the sample of the run at a time of the source; negative before the run."""
        return round(min(seconds - self.begins_at, _FOR_EVER_SECONDS) * self.rate)

    def ends_at(self) -> float:
        """Give the time of the source where what was read ends."""
        return self.begins_at + self.samples / self.rate


def take(blocks: Iterator[Block], cut: Cut | None, max_seconds: float) -> list[Run]:
    """Read blocks and keep the part that is wanted; stop reading at its end.

    A cut begins at sample round(start_seconds * rate) and ends before round(end_seconds * rate).
    Where the source ends within the cut, so does what is kept, which is never nothing.

    Raises:
        AudioError: "empty" (no samples), "too_long" (more than `max_seconds` are wanted) or
            "too_short" (the source ends before the cut begins).
    """
    start, end = 0.0, None
    if cut is not None:
        start, end = cut.start_seconds or 0.0, cut.end_seconds
        if cut.only_if_longer and end is not None:
            longest = end - start + _TOLERANCE_SECONDS
            # The list chooses `longest`. A source of more than this cannot be taken whole; half a
            # second on top, so that rounding the cut's ends to samples changes nothing.
            enough = max_seconds + 2 * _TOLERANCE_SECONDS
            held, ended = _hold(blocks, min(longest, enough))
            blocks = chain(held, blocks)
            if ended:
                start, end = 0.0, None
            elif longest > enough:
                blocks = _longer(blocks, longest, max_seconds)
    runs = _keep(blocks, start, end, max_seconds)
    if not any(run.kept for run in runs):
        raise _nothing(runs, start)
    return [run for run in runs if run.kept]


def _hold(blocks: Iterable[Block], seconds: float) -> tuple[Iterator[Block], bool]:
    """Read until there is more than `seconds`; the blocks read, and whether the source ended."""
    held: list[Block] = []
    length = 0.0
    for block in blocks:
        held.append(block)
        length += len(block.mono) / block.rate
        if length > seconds:
            break
    held.reverse()
    # Popped one by one, so that blocks before the cut do not stay in memory.
    return (held.pop() for _ in range(len(held))), length <= seconds


def _longer(blocks: Iterable[Block], seconds: float, max_seconds: float) -> Iterator[Block]:
    """Pass blocks on; a source that ends at `seconds` or before is wanted whole: too long."""
    length = 0.0
    for block in blocks:
        length += len(block.mono) / block.rate
        yield block
    if length <= seconds:
        raise _too_long(max_seconds)


def _keep(
    blocks: Iterable[Block], start: float, end: float | None, max_seconds: float
) -> list[Run]:
    runs: list[Run] = []
    kept_seconds = 0.0
    for block in blocks:
        if not runs or runs[-1].rate != block.rate:
            runs.append(Run(block.rate, runs[-1].ends_at() if runs else 0.0, block.channels))
        run = runs[-1]
        first = max(0, run.index(start) - run.samples)
        last = len(block.mono) if end is None else max(0, run.index(end) - run.samples)
        part = block.mono[first:last]
        run.samples += len(block.mono)
        if len(part):
            run.kept.append(part)
            kept_seconds += len(part) / run.rate
        if kept_seconds > max_seconds + 0.5 / run.rate:  # half a sample, for the sums' rounding
            raise _too_long(max_seconds)
        if end is not None and last <= len(block.mono):
            break
    return runs


def _too_long(max_seconds: float) -> AudioError:
    return AudioError("too_long", f"more than {max_seconds:g} s")


def _nothing(runs: list[Run], start: float) -> AudioError:
    length = runs[-1].ends_at() if runs else 0.0
    if length == 0:
        return AudioError("empty", "holds no samples")
    if length <= start:
        return AudioError("too_short", f"ends at {length:.2f} s; the cut begins at {start:g} s")
    return AudioError("empty", f"no sample lies in the cut at {start:g} s")
