"""What makes one clip many: mixup of waveforms and SpecAugment, both from a given generator."""

import torch
from torch import Tensor


def mixup(
    waveform: Tensor, targets: Tensor, alpha: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Mix each clip with another of the batch, waveforms and targets alike.

    x = m x_i + (1 - m) x_j, y = m y_i + (1 - m) y_j, m ~ Beta(alpha, alpha) folded to at least 1/2
    (Zhang et al., ICLR 2018, arXiv 1710.09412, equation 1).

    Args:
        waveform: (batch, samples).
        targets: (batch, labels).
        alpha: 0 leaves everything as it is.
        generator: on the CPU, so that every device draws the same.
    """
    batch = len(waveform)
    if alpha == 0 or batch < 2:
        return waveform, targets
    shape = torch.full((batch, 2), alpha)
    share = torch._sample_dirichlet(shape, generator=generator)[:, 0]
    share = torch.maximum(share, 1 - share).to(waveform.device).unsqueeze(1)
    other = torch.randperm(batch, generator=generator).to(waveform.device)
    mixed = share * waveform + (1 - share) * waveform[other]
    return mixed, share * targets + (1 - share) * targets[other]


def spec_augment(
    log_mel: Tensor, time_share: float, mel_share: float, generator: torch.Generator
) -> Tensor:
    """Replace two stretches of frames and two of mel bands of each clip by the clip's mean.

    SpecAugment without warping (Park et al., Interspeech 2019, arXiv 1904.08779).

    Args:
        log_mel: (batch, frames, mel_bands).
        time_share: longest stretch as a share of the frames; 0: none.
        mel_share: longest stretch as a share of the mel bands; 0: none.
        generator: on the CPU, so that every device draws the same.
    """
    batch, frames, mel_bands = log_mel.shape
    hidden = torch.zeros(batch, frames, mel_bands, dtype=torch.bool)
    for _ in range(2):
        hidden |= _stretches(batch, frames, time_share, generator).unsqueeze(2)
        hidden |= _stretches(batch, mel_bands, mel_share, generator).unsqueeze(1)
    return torch.where(hidden.to(log_mel.device), log_mel.mean(dim=(1, 2), keepdim=True), log_mel)


def _stretches(batch: int, size: int, share: float, generator: torch.Generator) -> Tensor:
    """One stretch a clip, uniformly long and uniformly placed: (batch, size), bool."""
    length = torch.rand(batch, 1, generator=generator) * share * size
    start = torch.rand(batch, 1, generator=generator) * (size - length)
    position = torch.arange(size).unsqueeze(0)
    return (position >= start.floor()) & (position < (start + length).floor())
