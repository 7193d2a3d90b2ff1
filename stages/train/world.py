"""The processes that train together, one a GPU: which of them this is, and what they tell each other."""

from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn


class World:
    """One process alone; `stages.train.distributed` has the one for several.

    Each process takes its part of every batch. What is needed of the whole batch is gathered, so that
    the loss is that of one process with the same batch.
    """

    rank: int = 0
    size: int = 1

    def part(self, rows: int) -> NDArray[np.int64]:
        """Which of so many rows are this process's own: (part,) int64, in a row."""
        return np.array_split(np.arange(rows, dtype=np.int64), self.size)[self.rank]

    def wrapped(self, module: nn.Module) -> nn.Module:
        """Return the module whose gradients are averaged over the processes."""
        return module

    def gradients_stay(self, module: nn.Module) -> AbstractContextManager[object]:  # noqa: ARG002
        """Accumulate gradients of a `wrapped` module without averaging them yet."""
        return nullcontext()

    def gathered(self, own: Tensor, batch: int) -> Tensor:  # noqa: ARG002 - of several processes
        """Return rows (batch, ...) of all processes from this process's own rows (part, ...).

        Gradients flow into the own rows alone.
        """
        return own

    def from_writer(self, data: bytes | None) -> bytes | None:
        """Return what the process of rank 0 gives; what the others give is not looked at."""
        return data

    def gathered_array(self, own: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the rows of all processes, in order, from this process's own rows."""
        return own
