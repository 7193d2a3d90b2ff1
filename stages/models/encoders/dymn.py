"""EfficientAT's Dynamic MobileNet (Schmid et al., IEEE/ACM TASLP 2024, arXiv 2310.15648, section III).

The shapes are MobileNetV3-Large's, but each block computes a context from its input, and by it, clip
by clip, mixes the kernels of its convolutions, shapes its activation and weighs bands and frames.
Parameter names are those of the published checkpoints.
"""

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own custom
from torch import Tensor, nn

from stages.audio.log_mel import FrontEnd
from stages.models.encoders.base import Encoder
from stages.models.encoders.mobilenet import (
    BLOCKS,
    STEM_CHANNELS,
    BlockShape,
    MobileNet,
    batch_norm,
    mlp_head,
    multiple_of_8,
    normed,
    pointwise,
    start,
    stem,
)

KERNELS = 4
LARGEST_CONTEXT = 128
SMALLEST_CONTEXT = 32


class Context(NamedTuple):
    """What a block knows of its input.

    `clip` is (batch, context); `bands` is (batch, expanded, mels, 1) and `frames` (batch, expanded, 1,
    frames), of the block's output.
    """

    clip: Tensor
    bands: Tensor
    frames: Tensor


class ContextGenerator(nn.Module):
    """Means over frames and over bands, mapped together, and then each for itself."""

    def __init__(self, channels_in: int, context: int, expanded: int, stride: int) -> None:
        """Build for a block that widens channels_in to `expanded`."""
        super().__init__()
        self.joint_conv = pointwise(channels_in, context)
        self.joint_norm = batch_norm(context)
        self.conv_f = nn.Conv2d(context, expanded, 1)
        self.conv_t = nn.Conv2d(context, expanded, 1)
        self.stride = stride

    def forward(self, x: Tensor) -> Context:
        """Return the context of x (batch, channels_in, mels, frames)."""
        mels = x.shape[2]
        both = torch.cat([x.mean(dim=3), x.mean(dim=2)], dim=2).unsqueeze(3)
        both = F.hardswish(self.joint_norm(self.joint_conv(both)))
        bands, frames = both[:, :, :mels], both[:, :, mels:].transpose(2, 3)
        if self.stride > 1:  # as many as the block's convolution leaves
            bands = F.avg_pool2d(bands, (3, 1), (self.stride, 1), (1, 0))
            frames = F.avg_pool2d(frames, (1, 3), (1, self.stride), (0, 1))
        return Context(both.mean(dim=(2, 3)), self.conv_f(bands), self.conv_t(frames))


class DynamicConvolution(nn.Module):
    """Convolution by a mixture of four kernels, mixed for each clip (equations 5 and 6).

    The softmax over the four has temperature 1, where the published training ends; it starts at 30.
    """

    def __init__(self, context: int, weight_shape: tuple[int, int, int], stride: int = 1) -> None:
        """Build for weights (channels_out, channels_in of a group, kernel), Kaiming normal.

        A kernel of 1 takes all channels in one group, and stride 1.
        """
        super().__init__()
        channels_out, channels_in, kernel = weight_shape
        self.shape = (channels_out, channels_in, kernel, kernel)
        self.stride = stride
        kernels = torch.empty(KERNELS, *self.shape)
        for one in kernels:
            nn.init.kaiming_normal_(one, mode="fan_out")
        self.weight = nn.Parameter(kernels.reshape(1, 1, KERNELS, -1))
        self.residuals = nn.Sequential(nn.Linear(context, KERNELS))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Map (batch, channels, mels, frames) to channels_out by context (batch, context)."""
        batch, channels, mels, frames = x.shape
        channels_out, channels_in, kernel, _ = self.shape
        weight = torch.softmax(self.residuals(context), dim=1) @ self.weight[0, 0]
        if kernel == 1:  # a fifth faster, the whole network, than as a convolution
            weight = weight.reshape(batch, channels_out, channels_in)
            return (weight @ x.flatten(2)).reshape(batch, channels_out, mels, frames)
        # Each clip has its own kernels: the clips become groups of channels of one.
        y = F.conv2d(
            x.reshape(1, batch * channels, mels, frames),
            weight.reshape(batch * channels_out, channels_in, kernel, kernel),
            stride=self.stride,
            padding=kernel // 2,
            groups=batch * channels // channels_in,
        )
        return y.reshape(batch, channels_out, *y.shape[2:])


class DynamicReLU(nn.Module):
    """The larger of two lines a channel, each clip with its own (equation 4)."""

    def __init__(self, context: int, channels: int) -> None:
        """Build for `channels` channels."""
        super().__init__()
        self.coef_net = nn.Sequential(nn.Linear(context, 4 * channels))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Map x (batch, channels, mels, frames) by context (batch, context)."""
        lines = 2 * torch.sigmoid(self.coef_net(context)) - 1
        lines = lines.reshape(*x.shape[:2], 1, 1, 4)
        slope, other_slope, offset, other_offset = lines.unbind(dim=4)
        # Without a context: x and 0, which is ReLU. The published offsets count by half.
        return torch.maximum(x * (1 + slope) + 0.5 * offset, x * other_slope + 0.5 * other_offset)


class DynamicBlock(nn.Module):
    """An inverted residual whose three convolutions and second activation follow the context."""

    def __init__(self, channels_in: int, shape: BlockShape) -> None:
        """Build one block; without the first step where it would not widen."""
        super().__init__()
        expanded, channels_out = shape.expanded, shape.channels
        context = min(max(multiple_of_8(expanded / 4), SMALLEST_CONTEXT), LARGEST_CONTEXT)
        self.widens = expanded != channels_in
        self.context_gen = ContextGenerator(channels_in, context, expanded, shape.stride)
        if self.widens:
            self.exp_conv = DynamicConvolution(context, (expanded, channels_in, 1))
            self.exp_norm = batch_norm(expanded)
            self.exp_act = shape.activation()
        self.depth_conv = DynamicConvolution(context, (expanded, 1, shape.kernel), shape.stride)
        self.depth_norm = batch_norm(expanded)
        self.depth_act = DynamicReLU(context, expanded)
        self.proj_conv = DynamicConvolution(context, (channels_out, expanded, 1))
        self.proj_norm = batch_norm(channels_out)
        self.adds = shape.stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels_in, mels, frames) to channels_out, both axes divided by the stride."""
        context: Context = self.context_gen(x)
        y: Tensor = x
        if self.widens:
            y = self.exp_act(self.exp_norm(self.exp_conv(y, context.clip)))
        y = self.depth_norm(self.depth_conv(y, context.clip))
        y = self.depth_act(y, context.clip)
        y = y * torch.sigmoid(context.bands) * torch.sigmoid(context.frames)
        y = self.proj_norm(self.proj_conv(y, context.clip))
        return x + y if self.adds else y


class Dymn10(Encoder):
    """Stem, 15 dynamic blocks, a 1 x 1 convolution, and the mean over mels and frames.

    Any number of frames will do: both axes are divided by 32, rounded up. 10.55 M parameters with a
    head for 527 labels.
    """

    name: ClassVar[str] = "dymn10"
    front_end: ClassVar[FrontEnd] = MobileNet.front_end
    hears_seconds: ClassVar[tuple[float, float]] = MobileNet.hears_seconds
    embedding_dimensions: ClassVar[int] = 960
    learning_rate: ClassVar[float] = 1e-3  # of the authors' README, for AudioSet
    layer_names: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("in_c.",),
        *((f"layers.{number}.",) for number in range(len(BLOCKS))),
        ("out_c.",),
    )
    published_head: ClassVar[Mapping[str, str]] = MobileNet.published_head
    published_unused: ClassVar[tuple[str, ...]] = tuple(
        f"layers.{number}.depth_act.{constant}"
        for number in range(len(BLOCKS))
        for constant in ("lambdas", "init_v")
    )

    def __init__(self) -> None:
        """Build with random weights."""
        super().__init__()
        channels = STEM_CHANNELS
        self.in_c = stem(channels)
        self.layers = nn.Sequential()
        for shape in BLOCKS:
            self.layers.append(DynamicBlock(channels, shape))
            channels = shape.channels
        self.out_c = normed(pointwise(channels, self.embedding_dimensions), nn.Hardswish)
        self.apply(start)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return the embedding (batch, 960) of log_mel (batch, frames, 128)."""
        x: Tensor = self.out_c(self.layers(self.in_c(log_mel.transpose(1, 2).unsqueeze(1))))
        return x.mean(dim=(2, 3))

    def make_head(self, labels: int) -> nn.Module:
        """Build the published head of two linear layers, which has a width of its own."""
        return mlp_head(self.embedding_dimensions, 1280, labels)
