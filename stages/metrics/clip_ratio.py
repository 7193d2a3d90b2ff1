"""A measure that is a sum over clips divided by another sum over clips."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ClipRatio:
    """Such a measure. With weights on the clips it is a resample of the bootstrap.

    Attributes:
        numerators: (clips,) float64, what each clip adds above the line.
        denominators: (clips,) float64, what it adds below; 0 where the clip has no say.
    """

    numerators: NDArray[np.float64]
    denominators: NDArray[np.float64]

    @property
    def value(self) -> float | None:
        """The measure; None where no clip has a say."""
        total = float(self.denominators.sum())
        return float(self.numerators.sum()) / total if total else None

    def replicates(self, weights: NDArray[np.floating]) -> NDArray[np.float64]:
        """The measure of each resample (resamples,), NaN where undefined, for weights (clips, resamples)."""
        # Not `@`: its sums depend on the number of threads.
        above = np.einsum("c,cr->r", self.numerators, weights)
        below = np.einsum("c,cr->r", self.denominators, weights)
        defined = np.where(below > 0, below, np.nan)
        return np.asarray(above / defined, dtype=np.float64)
