"""Batch norm that gives the same numbers however the clips of a batch lie on processes."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own custom
from torch import Tensor, nn

Summed = Callable[[Tensor], Tensor]


def of_one_process(own: Tensor) -> Tensor:
    """Return the sum over all processes where there is one alone."""
    return own


def with_exact_norms(module: nn.Module, summed: Summed) -> nn.Module:
    """Replace the batch norms in `module`, in place; return it.

    Parameters and statistics are the same tensors under the same names. Those that are exact already
    take `summed` over.

    Args:
        module: what holds them.
        summed: from a tensor, the sum of that of all processes.
    """
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, ExactBatchNorm):
                child.summed = summed
            if isinstance(child, (nn.BatchNorm1d, nn.BatchNorm2d)):
                setattr(parent, name, ExactBatchNorm(child, summed))
    return module


class ExactBatchNorm(nn.Module):
    """What nn.BatchNorm1d and 2d compute, over the clips of all processes.

    y = (x - mean) / sqrt(variance + eps) * weight + bias, a mean and a variance for each channel
    (Ioffe and Szegedy, ICML 2015, arXiv 1502.03167, algorithm 1). In evaluation mode it is the batch
    norm that it stands for.

    Sums are taken for each clip by itself, in float32, and then over clips in float64: so it does not
    matter which process has which clip, but in the last bit of a float64. (torch, where channels are
    last in memory, sums up all values in float32 on a CPU: 1e-5 of its variance is rounding, more the
    longer the clips, which in a few steps of AdamW is 1e-3 of the loss.)
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(
        self, single: nn.BatchNorm1d | nn.BatchNorm2d, summed: Summed = of_one_process
    ) -> None:
        """Take over parameters, statistics and mode of `single`.

        Raises:
            ValueError: it has no parameters or no running statistics.
        """
        super().__init__()
        if not single.affine or not single.track_running_stats or single.momentum is None:
            raise ValueError(f"{single} has no parameters or no running statistics")
        self.summed = summed
        self.eps, self.momentum = single.eps, single.momentum
        self.weight, self.bias = single.weight, single.bias
        for name, tensor in single.named_buffers():
            self.register_buffer(name, tensor)
        self.train(single.training)

    def forward(self, x: Tensor) -> Tensor:
        """Norm this process's rows x (part, channels, ...); parts may be of different size."""
        if not self.training:
            return F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        with torch.no_grad():
            count, mean, variance = _moments(x, self.summed)
            unbiased = variance * (count / (count - 1))
            self.running_mean.lerp_(mean.to(self.running_mean), self.momentum)
            self.running_var.lerp_(unbiased.to(self.running_var), self.momentum)
            self.num_batches_tracked += 1
        moments = count, mean, variance
        normed: Tensor = _Norm.apply(x, self.weight, self.bias, *moments, self.eps, self.summed)
        return normed


def _moments(x: Tensor, summed: Summed) -> tuple[Tensor, Tensor, Tensor]:
    """Count, mean and variance (channels,) of the values of all processes, float64.

    A clip's sum of squares is about its own mean, and that about the mean of all is put together from
    those as Chan, Golub and LeVeque do (The American Statistician 37, 1983, equation 2.1).
    """
    values = _by_clip(x.detach().float())
    size = values.shape[2]
    means = values.mean(2)
    squares = (values - means.unsqueeze(2)).square_().sum(2).double()
    means = means.double()
    own = torch.stack(
        [
            torch.full_like(means[0], len(x) * size),
            size * means.sum(0),
            (squares + size * means.square()).sum(0),
        ]
    )
    count, total, total_squares = summed(own)
    mean = total / count
    return count, mean, (total_squares / count - mean.square()).clamp(min=0)


class _Norm(torch.autograd.Function):
    """The normed values. Backward is that of algorithm 1 (section 3 of the paper): mean and variance
    depend on x too, on that of every process.
    """

    @staticmethod
    def forward(  # noqa: PLR0913 - what the formula has
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        count: Tensor,
        mean: Tensor,
        variance: Tensor,
        eps: float,
        summed: Summed,
    ) -> Tensor:
        """Norm x (part, channels, ...) in float32; the result has the dtype of x."""
        spread = torch.rsqrt(variance + eps)
        ctx.save_for_backward(x, weight, mean, spread, count)
        ctx.summed = summed
        scale = spread * weight
        shift = bias - mean * scale
        return torch.addcmul(_along(shift, x), x, _along(scale, x)).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x, weight and bias; those of the latter two of this process's rows."""
        (gradient,) = gradients
        x, weight, mean, spread, count = ctx.saved_tensors
        centred = x - _along(mean, x)
        own = torch.stack(
            [
                _by_clip(gradient.float()).sum(2).double().sum(0),
                _by_clip(gradient * centred).sum(2).double().sum(0),
            ]
        )
        for_bias, for_centred = ctx.summed(own) / count
        # (gradient - mean gradient - normed * mean of gradient * normed) * weight * spread
        scale = spread * weight
        slope = -for_centred * spread.square() * scale
        of_x = centred.mul_(_along(slope, x)).add_(_along(-for_bias * scale, x))
        of_x.addcmul_(gradient, _along(scale, x))
        of_weight, of_bias = (own[1] * spread).to(weight), own[0].to(weight)
        return of_x.to(x.dtype), of_weight, of_bias, None, None, None, None, None


def _by_clip(x: Tensor) -> Tensor:
    """Shape x (clips, channels, ...) as (clips, channels, values)."""
    return x.flatten(2) if x.ndim > 2 else x.unsqueeze(2)


def _along(channels: Tensor, x: Tensor) -> Tensor:
    """Shape (channels,) as float32 so that it goes along the channels of x."""
    return channels.float().view(-1, *[1] * (x.ndim - 2))
