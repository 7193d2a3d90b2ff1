"""What makes one clip many. All draws are for the whole batch: a process uses those of its own clips."""

import numpy as np
import torch
from torch import Tensor

from stages.train.choices.augmentation import AugmentationChoices
from stages.train.loading import Batch


def stream(*key: int) -> int:
    """A seed for torch from whole numbers: another key, another stream."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> np.uint64(1))


def drawing(seed: int, number: int) -> torch.Generator:
    """Return the generator of batch `number`: on the CPU, so that every device draws the same."""
    return torch.Generator().manual_seed(stream(seed, number, 3))


def change_level(waveform: Tensor, gain_db: Tensor) -> Tensor:
    """Make each clip louder or softer: waveform (clips, samples), gain_db (clips,)."""
    return waveform * (10 ** (gain_db / 20)).unsqueeze(1)


def roll(waveform: Tensor, shift_samples: Tensor) -> Tensor:
    """Rotate each clip: what leaves at the end comes in at the beginning.

    Args:
        waveform: (clips, samples).
        shift_samples: (clips,) int64, later by so many samples; negative: earlier.
    """
    samples = waveform.shape[1]
    place = torch.arange(samples, device=waveform.device).unsqueeze(0)
    return waveform.gather(1, (place - shift_samples.unsqueeze(1)) % samples)


def mix(rows: Tensor, batch: Batch) -> Tensor:
    """Mix what was loaded, rows (loaded, ...), into this process's part of the batch (part, ...)."""
    whole = len(batch.own) == len(rows)  # one process alone: its own are all, in order
    own = rows if whole else rows[batch.own.to(rows.device)]
    if bool((batch.share == 1).all()):
        return own
    share = batch.share.to(rows.device).view(-1, *[1] * (rows.ndim - 1))
    return torch.lerp(rows[batch.partner.to(rows.device)], own, share)


def hide(log_mel: Tensor, hidden: Tensor) -> Tensor:
    """Replace what is hidden by the clip's mean: log_mel and hidden (clips, frames, mel_bands), bool."""
    return torch.where(hidden, log_mel.mean(dim=(1, 2), keepdim=True), log_mel)


def masks(
    shape: tuple[int, int, int], time_share: float, mel_share: float, generator: torch.Generator
) -> Tensor:
    """Draw two stretches of frames and two of mel bands of each clip to hide, bool, of that shape.

    SpecAugment without warping (Park et al., Interspeech 2019, arXiv 1904.08779).

    Args:
        shape: (clips, frames, mel_bands).
        time_share: longest stretch as a share of the frames; 0: none.
        mel_share: longest stretch as a share of the mel bands; 0: none.
        generator: of the batch.
    """
    clips, frames, mel_bands = shape
    hidden = torch.zeros(shape, dtype=torch.bool)
    for _ in range(2):
        hidden |= _stretches(clips, frames, time_share, generator).unsqueeze(2)
        hidden |= _stretches(clips, mel_bands, mel_share, generator).unsqueeze(1)
    return hidden


def _stretches(batch: int, size: int, share: float, generator: torch.Generator) -> Tensor:
    """One stretch a clip, uniformly long and uniformly placed: (batch, size), bool."""
    length = torch.rand(batch, 1, generator=generator) * share * size
    start = torch.rand(batch, 1, generator=generator) * (size - length)
    position = torch.arange(size).unsqueeze(0)
    return (position >= start.floor()) & (position < (start + length).floor())


class Augmentation:
    """From loaded waveforms to augmented log-mel spectrograms, by the settings."""

    def __init__(self, choices: AugmentationChoices, seed: int) -> None:
        """Draw nothing yet."""
        self.choices, self.seed = choices, seed

    def waveforms(self, waveform: Tensor, batch: Batch, generator: torch.Generator) -> Tensor:
        """Change level and position of the loaded clips (loaded, samples)."""
        choices, size = self.choices, len(batch.plan.clips)
        places = torch.from_numpy(batch.places)
        if choices.gain_db > 0:
            drawn = (2 * torch.rand(size, generator=generator) - 1) * choices.gain_db
            waveform = change_level(waveform, drawn[places].to(waveform.device))
        if choices.time_roll_share > 0:
            reach = choices.time_roll_share * waveform.shape[1]
            shifts = ((2 * torch.rand(size, generator=generator) - 1) * reach).long()
            waveform = roll(waveform, shifts[places].to(waveform.device))
        return waveform

    def masked(self, log_mel: Tensor, batch: Batch, generator: torch.Generator) -> Tensor:
        """Apply SpecAugment to this process's part (part, frames, mel_bands)."""
        time_share, mel_share = self.choices.time_mask_share, self.choices.mel_mask_share
        if time_share == mel_share == 0:
            return log_mel
        _, frames, mel_bands = log_mel.shape
        hidden = masks((len(batch.plan.clips), frames, mel_bands), time_share, mel_share, generator)
        own = torch.from_numpy(batch.places)[batch.own]
        return hide(log_mel, hidden[own].to(log_mel.device))
