"""What the chip can do at most, and what a model asks of it."""

import time

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

_SIDE_CUDA, _SIDE_CPU = 8192, 512
_PRODUCTS, _ROUNDS = 20, 3


def finish(device: torch.device) -> None:
    """Wait until the device has done all that it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a large square matrix product, 2 n^3 each: the best of some rounds."""
    side = _SIDE_CUDA if device.type == "cuda" else _SIDE_CPU
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.randn(side, side, generator=generator).to(device, dtype) for _ in range(2))
    best = 0.0
    for _ in range(_ROUNDS + 1):  # the first warms up, and may be slower
        finish(device)
        started = time.perf_counter()
        for _ in range(_PRODUCTS):
            torch.mm(a, b)
        finish(device)
        best = max(best, _PRODUCTS * 2 * side**3 / (time.perf_counter() - started))
    return best


@torch.no_grad()
def training_operations(heads: nn.Module, log_mel: Tensor) -> float:
    """Operations that one clip of log_mel (batch, frames, mel_bands) takes, forward and backward.

    Those of convolutions and matrix products of the forward pass, a multiplication and an addition
    counting as two, and as many again for the gradients of the weights and of what went in: three times
    the forward pass (Chowdhery et al., JMLR 2023, arXiv 2204.02311, appendix B). The backward pass is not
    counted itself, since torch counts that of grouped convolutions as if they had no groups, ten times
    too much for a MobileNet. What a patchout leaves out is not counted.
    """
    with FlopCounterMode(display=False) as counter:
        heads(log_mel)
    return 3 * counter.get_total_flops() / len(log_mel)
