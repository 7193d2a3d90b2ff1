"""How many clips a batch may have: as many as memory holds."""

from collections.abc import Callable

import torch

from stages.errors import SpaError
from stages.models.tagger import Tagger
from stages.train.precision import Precision
from stages.train.step import Heads

USUAL = 32
_MOST = 256


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch could not get memory, on a GPU or from the system."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def largest_that_fits(fits: Callable[[int], bool], most: int) -> int:
    """Return the largest power of two, at most `most`, that fits; 0 where not even 1 does."""
    size = 1
    while size <= most and fits(size):
        size *= 2
    return size // 2


class Trial:
    """Tries whether a batch fits: forward and backward, with room for AdamW's two moments."""

    def __init__(self, tagger: Tagger, precision: Precision, window_samples: int) -> None:
        """Take the tagger on its device; what a trial changes of it is put back."""
        self.tagger, self.precision, self.window_samples = tagger, precision, window_samples

    def fits(self, clips: int) -> bool:
        """Whether a batch of so many clips fits into memory."""
        before = {name: tensor.clone() for name, tensor in self.tagger.state_dict().items()}
        try:
            self._step(clips)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return False
        finally:
            self.tagger.zero_grad(set_to_none=True)
            self.tagger.load_state_dict(before)
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
        return True

    def _step(self, clips: int) -> None:
        parameters = list(self.tagger.parameters())
        moments = [torch.empty_like(each) for each in parameters for _ in range(2)]
        waveform = torch.zeros(clips, self.window_samples, device=parameters[0].device)
        self.tagger.train()
        with torch.no_grad():
            log_mel = self.tagger.log_mel(waveform)
        with self.precision.autocast():
            logits, projected = Heads(self.tagger)(log_mel)
        total = logits.float().sum() if projected is None else logits.sum() + projected.sum()
        total.backward()
        moments.clear()


def chosen(batch_size: int | str, trial: Trial, processes: int) -> int:
    """Return the batch size over all processes; of `auto`, what fits, and on a CPU the usual one.

    Raises:
        SpaError: not even one clip fits.
    """
    if isinstance(batch_size, int):
        return batch_size
    if next(trial.tagger.parameters()).device.type == "cpu":
        return USUAL
    size = largest_that_fits(trial.fits, max(_MOST // processes, 1))
    if size == 0:
        raise SpaError("not even one clip fits into memory", "train with a shorter --clip-seconds")
    return size * processes


def out_of_memory(batch_size: int, trial: Trial, processes: int) -> SpaError:
    """Name the batch size that did not fit, and one that does."""
    size = largest_that_fits(trial.fits, batch_size // processes // 2) * processes
    step = f"{size} fits: train with --batch-size {size}, or auto"
    if size == 0:
        step = "not even one clip fits: train with a shorter --clip-seconds"
    return SpaError(f"out of memory with --batch-size {batch_size}", step)
