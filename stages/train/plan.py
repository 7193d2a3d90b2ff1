"""What every batch of a training is made of: from the seed and the batch's number alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.train.sampling import epoch_order
from stages.train.settings import TrainSettings


@dataclass(frozen=True)
class BatchPlan:
    """One batch: which clips, and with which of them each is mixed.

    Attributes:
        number: of the batch since the start of the training, from 0.
        clips: (batch,) int64, indices of training clips.
        partner: (batch,) int64, the place in the batch of the clip that each is mixed with.
        share: (batch,) float32 in [0.5, 1], how much of the mixture is the clip itself.
    """

    number: int
    clips: NDArray[np.int64]
    partner: NDArray[np.int64]
    share: NDArray[np.float32]

    def mixed(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mix rows (batch, columns), such as targets, as the clips are mixed."""
        share = self.share[:, None]
        return share * rows + (1 - share) * rows[self.partner]


class Plan:
    """All batches of a training.

    The clips of an epoch are cut into batches of nearly equal size, so that none is much smaller than
    the others (a batch norm over one clip is no norm).
    """

    def __init__(
        self, targets: NDArray[np.bool_], settings: TrainSettings, batch_size: int
    ) -> None:
        """Take targets (clips, labels) of the training clips."""
        self.targets, self.settings = targets, settings
        self.clips_per_epoch = settings.clips_per_epoch or len(targets)
        self.batches = -(-self.clips_per_epoch // batch_size)

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in an epoch."""
        return -(-self.batches // self.settings.accumulate)

    def clips_in(self, batches: int) -> int:
        """How many clips the first so many batches of an epoch hold."""
        shorter, longer = divmod(self.clips_per_epoch, self.batches)
        return batches * shorter + min(batches, longer)

    def epoch(self, epoch: int, first: int = 0) -> list[BatchPlan]:
        """Return the batches of an epoch (from 1), from the one at the place `first` on."""
        settings = self.settings
        order = epoch_order(
            self.targets, settings.sampling, settings.clips_per_epoch, settings.seed, epoch
        )
        parts = np.array_split(order, self.batches)
        start = (epoch - 1) * self.batches
        return [
            _mixing(start + place, clips, settings)
            for place, clips in enumerate(parts)
            if place >= first
        ]


def _mixing(number: int, clips: NDArray[np.int64], settings: TrainSettings) -> BatchPlan:
    """Draw the mixing of one batch.

    x = m x_i + (1 - m) x_j, y = m y_i + (1 - m) y_j, m ~ Beta(alpha, alpha), folded to at least 1/2
    (Zhang et al., ICLR 2018, arXiv 1710.09412, equation 1), where j is a permutation of the batch.
    """
    random = np.random.default_rng(
        [settings.seed, number, 1]
    )  # 0 would be the stream of an epoch's order
    share = np.ones(len(clips), dtype=np.float32)
    if settings.mixup_alpha > 0:
        drawn = random.beta(settings.mixup_alpha, settings.mixup_alpha, len(clips))
        mixed = random.random(len(clips)) < settings.mixup_share
        share[mixed] = np.maximum(drawn, 1 - drawn)[mixed]
    return BatchPlan(number, clips, random.permutation(len(clips)), share)
