"""How far a contender is from one-hot training, with an interval over seeds and clips.

Seeds and clips are crossed: every model is judged by the same clips. So each resample draws seeds,
and recordings of each fold with all their clips, independently of each other, as one draws rows and
columns of a table (Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1(2), 2007).
The two models of a pair have the same seed and are resampled together.

The bootstrap of a few seeds is too sure of itself: its 95 % intervals of the mean of five values hold
the true one in 84 % of cases. Two things mend that (94 %; of two values 91 %, which was 51 %).
Of S seeds S - 1 are drawn, which makes the variance of their mean right on average (McCarthy and
Snowden, "The bootstrap and finite population sampling", Vital and Health Statistics 2(95), 1985); and
how far the drawn seeds' mean is from that of all seeds is stretched by the ratio of Student's
quantile with S - 1 degrees of freedom to the normal one. What the clips add is left as it is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from stages.metrics.bootstrap import interval

_SEED = 0


@dataclass(frozen=True)
class Measured:
    """One measure of one contender on one set.

    Attributes:
        values: (folds, seeds), on the clips as they are.
        replicates: (folds, seeds, resamples), on the resamples of each fold's clips.
    """

    values: NDArray[np.float64]
    replicates: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Mean over seeds and folds."""
        return float(self.values.mean())

    @property
    def deviation(self) -> float | None:
        """Standard deviation over seeds of the mean over folds; None of one seed."""
        by_seed = self.values.mean(axis=0)
        return float(by_seed.std(ddof=1)) if len(by_seed) > 1 else None


@dataclass(frozen=True)
class Difference:
    """A contender minus another: the mean, and the 95 % interval over seeds and clips."""

    value: float
    low: float
    high: float


def difference(ours: Measured, theirs: Measured) -> Difference:
    """Ours minus theirs, paired by fold, seed and resample; with one seed over clips alone.

    Raises:
        ValueError: other folds, seeds or resamples.
    """
    if ours.replicates.shape != theirs.replicates.shape:
        raise ValueError(f"{ours.replicates.shape} and {theirs.replicates.shape} make no pairs")
    values = ours.values - theirs.values
    drawn = _resampled(ours.replicates - theirs.replicates)
    found = interval(float(values.mean()), drawn, -1.0, 1.0)
    low, high = found or (np.nan, np.nan)
    return Difference(float(values.mean()), float(low), float(high))


def _resampled(replicates: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over folds and drawn seeds of each resample (resamples,).

    The same seeds are drawn for all folds, since models of one seed start from the same weights.
    """
    by_seed = replicates.mean(axis=0)
    of_clips = by_seed.mean(axis=0)
    seeds, resamples = by_seed.shape
    if seeds == 1:
        return np.asarray(of_clips)
    generator = np.random.default_rng(_SEED)
    drawn = generator.integers(0, seeds, (seeds - 1, resamples))
    of_seeds = np.take_along_axis(by_seed, drawn, axis=0).mean(axis=0) - of_clips
    stretch = stdtrit(seeds - 1, 0.975) / ndtri(0.975)
    return np.asarray(of_clips + stretch * of_seeds)
