"""The losses of an epoch as it goes on, read from the device one batch late so that it need not wait."""

import math
import time

from stages.train.diverged import DivergedError
from stages.train.loading import Batch
from stages.train.objective import StepLosses
from stages.train.rate import in_words

_SHOWN_CLIPS = 64


class RunningLosses:
    """Sums of the losses of an epoch's batches.

    Reading a loss waits until the device has computed it. So each is read when the next batch has been
    handed to the device; on a CPU that is no difference.
    """

    def __init__(self, sums: dict[str, float]) -> None:
        """Go on from `sums`, which is changed as losses are read."""
        self.sums = sums
        self._pending: tuple[StepLosses, int, list[str]] | None = None
        self._shown = ""
        self._started, self._clips = time.perf_counter(), 0

    def add(self, batch: Batch, losses: StepLosses, step: int) -> str:
        """Take the losses of a batch; return the words to show beside the progress.

        Raises:
            DivergedError: the losses of the batch before are not numbers.
        """
        self.settle()
        self._pending = (losses, step, batch.clip_ids)
        self._clips += len(batch.clip_ids)
        rate = self._clips / max(time.perf_counter() - self._started, 1e-9)
        return f"{self._shown}{in_words(rate)}"

    def settle(self) -> None:
        """Read the losses that are not read yet.

        Raises:
            DivergedError: they are not numbers.
        """
        if self._pending is None:
            return
        losses, step, clip_ids = self._pending
        self._pending = None
        values = losses.values()
        if not all(map(math.isfinite, values.values())):
            raise DivergedError(
                f"the loss is not a number in step {step} (clips {_named(clip_ids)})"
            )
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self._shown = "".join(f"{name} {value:.3f}  " for name, value in values.items())


def _named(clip_ids: list[str]) -> str:
    more = len(clip_ids) - _SHOWN_CLIPS
    return ", ".join(clip_ids[:_SHOWN_CLIPS]) + (f" and {more} more" if more > 0 else "")
