"""The clips of a batch as waveforms; threads read and decode ahead of the training step."""

import os
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.processes import default_workers
from stages.train.clip_cache import ClipCache
from stages.train.clips import Clips
from stages.train.plan import BatchPlan
from stages.train.world import World

_FEWEST_THREADS, _MOST_THREADS = 2, 16
_BATCHES_AHEAD = 4
_LOWEST_PRIORITY = 19


@dataclass(frozen=True)
class Batch:
    """What one process needs of a batch.

    Attributes:
        plan: the whole batch.
        places: (loaded,) int64, places in the batch of the clips that are loaded: this process's own
            and those that they are mixed with.
        waveform: (loaded, samples) float32.
        own: (part,) int64, rows of `waveform` that are this process's own.
        partner: (part,) int64, rows of `waveform` that each of those is mixed with.
        share: (part,) float32, how much of each mixture is the own clip.
        targets: (batch, labels) float32 in [0, 1], of the whole batch, mixed.
        clip_ids: of the whole batch.
    """

    plan: BatchPlan
    places: NDArray[np.int64]
    waveform: Tensor
    own: Tensor
    partner: Tensor
    share: Tensor
    targets: Tensor
    clip_ids: list[str]


class Loader:
    """Reads planned batches, several at once, in order."""

    def __init__(
        self, cache: ClipCache, clips: Clips, window_samples: int, seed: int, world: World
    ) -> None:
        """Keep what is needed; nothing is read yet."""
        self.cache, self.clips = cache, clips
        self.window_samples, self.seed, self.world = window_samples, seed, world
        self.pinned = torch.cuda.is_available()

    def load(self, plans: Sequence[BatchPlan]) -> Iterator[Batch]:
        """Yield the batches of `plans`."""
        threads = min(max(default_workers(), _FEWEST_THREADS), _MOST_THREADS)
        with ThreadPoolExecutor(threads, initializer=_give_way) as pool:
            ahead: deque[Future[Batch]] = deque()
            try:
                for plan in plans:
                    ahead.append(pool.submit(self._batch, plan))
                    if len(ahead) >= threads + _BATCHES_AHEAD:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _batch(self, plan: BatchPlan) -> Batch:
        own = self.world.part(len(plan.clips))
        needed = np.concatenate([own, plan.partner[own][plan.share[own] < 1]])
        places = np.unique(needed)
        # Filled by numpy: torch would start threads of its own in every thread that reads.
        waveform = torch.empty(len(places), self.window_samples, pin_memory=self.pinned)
        for row, place in zip(waveform.numpy(), places, strict=True):
            heard = self._hear(plan, int(place), row)
            row[heard:] = 0
        # Where the share is 1 the partner counts nothing; it may not be loaded.
        partner = np.where(plan.share[own] < 1, plan.partner[own], own)
        return Batch(
            plan,
            places,
            waveform,
            torch.from_numpy(np.searchsorted(places, own)),
            torch.from_numpy(np.searchsorted(places, partner)),
            torch.from_numpy(plan.share[own]),
            torch.from_numpy(plan.mixed(self.clips.targets[plan.clips].astype(np.float32))),
            [self.clips.clip_ids[index] for index in plan.clips],
        )

    def _hear(self, plan: BatchPlan, place: int, row: NDArray[np.float32]) -> int:
        """Read a clip into `row`; of one longer than the row, a random stretch. Return the samples."""
        clip = self.cache.read(int(plan.clips[place]))
        start, spare = 0, len(clip) - len(row)
        if spare > 0:
            chance = np.random.default_rng([self.seed, plan.number, 2, place])
            start = int(chance.integers(spare + 1))
        return clip.write(start, row)


def _give_way() -> None:
    """Let the step go first on a CPU that it shares: the thread that calls this reads in what is left.

    All threads of a step wait for the slowest: whatever runs in between delays it by all its time.
    Where the step has to wait for a batch, its threads sleep and reading has the whole CPU.
    """
    if sys.platform == "linux":  # elsewhere a priority is the whole process's
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
