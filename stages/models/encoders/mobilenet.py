"""EfficientAT's MobileNetV3 (Schmid et al., ICASSP 2023, arXiv 2211.04772, section 3).

The network is MobileNetV3-Large (Howard et al., ICCV 2019, arXiv 1905.02244, table 1) for one input
channel, with every width multiplied by a factor. Parameter names are those of the published checkpoints.
"""

import math
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from stages.audio.log_mel import FrontEnd
from stages.models.encoders.base import Encoder
from stages.models.encoders.front_ends import CPJKU


class BlockShape(NamedTuple):
    """One row of table 1, without the stem and what follows the blocks; channels at width 1."""

    kernel: int
    expanded: int
    channels: int
    squeeze: bool
    activation: type[nn.Module]
    stride: int


STEM_CHANNELS = 16
BLOCKS = (
    BlockShape(3, 16, 16, False, nn.ReLU, 1),
    BlockShape(3, 64, 24, False, nn.ReLU, 2),
    BlockShape(3, 72, 24, False, nn.ReLU, 1),
    BlockShape(5, 72, 40, True, nn.ReLU, 2),
    BlockShape(5, 120, 40, True, nn.ReLU, 1),
    BlockShape(5, 120, 40, True, nn.ReLU, 1),
    BlockShape(3, 240, 80, False, nn.Hardswish, 2),
    BlockShape(3, 200, 80, False, nn.Hardswish, 1),
    BlockShape(3, 184, 80, False, nn.Hardswish, 1),
    BlockShape(3, 184, 80, False, nn.Hardswish, 1),
    BlockShape(3, 480, 112, True, nn.Hardswish, 1),
    BlockShape(3, 672, 112, True, nn.Hardswish, 1),
    BlockShape(5, 672, 160, True, nn.Hardswish, 2),
    BlockShape(5, 960, 160, True, nn.Hardswish, 1),
    BlockShape(5, 960, 160, True, nn.Hardswish, 1),
)


def multiple_of_8(channels: float) -> int:
    """Round to the nearest multiple of 8, at least 8, but never by more than a tenth downwards."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels else rounded + 8


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch norm with MobileNetV3's epsilon and momentum."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def normed(convolution: nn.Conv2d, activation: type[nn.Module] | None = None) -> nn.Sequential:
    """Put batch norm behind a convolution, and the activation if there is one."""
    layers = nn.Sequential(convolution, batch_norm(convolution.out_channels))
    if activation is not None:
        layers.append(activation())
    return layers


def stem(channels: int) -> nn.Sequential:
    """Build the first layer: a 3 x 3 convolution of the log-mel that halves both axes."""
    return normed(nn.Conv2d(1, channels, 3, stride=2, padding=1, bias=False), nn.Hardswish)


def pointwise(channels_in: int, channels_out: int) -> nn.Conv2d:
    """Build a 1 x 1 convolution."""
    return nn.Conv2d(channels_in, channels_out, 1, bias=False)


def mlp_head(embedding_dimensions: int, hidden: int, labels: int) -> nn.Sequential:
    """Build the published head: two linear layers with hard swish and dropout of 0.2 between them."""
    head = nn.Sequential(
        nn.Linear(embedding_dimensions, hidden),
        nn.Hardswish(),
        nn.Dropout(0.2),
        nn.Linear(hidden, labels),
    )
    head.apply(start)
    return head


def start(module: nn.Module) -> None:
    """Random weights as published: Kaiming normal by outputs, linear layers normal with sigma 0.01."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.01)
    if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


class ChannelGate(nn.Module):
    """Channel weights from channel means, a quarter as wide in between (arXiv 1709.01507)."""

    def __init__(self, channels: int) -> None:
        """Build for `channels` channels."""
        super().__init__()
        squeezed = multiple_of_8(channels / 4)
        self.fc1 = nn.Linear(channels, squeezed)
        self.fc2 = nn.Linear(squeezed, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Weigh x (batch, channels, mels, frames); a true sigmoid, not MobileNetV3's hard one."""
        gate = torch.sigmoid(self.fc2(torch.relu(self.fc1(x.mean(dim=(2, 3))))))
        return x * gate[:, :, None, None]


class SqueezeExcite(nn.Module):
    """The gate under its published name: one of those that the paper tries side by side."""

    def __init__(self, channels: int) -> None:
        """Build the gate over channels alone, the one of the published checkpoints."""
        super().__init__()
        self.conc_se_layers = nn.ModuleList([ChannelGate(channels)])

    def forward(self, x: Tensor) -> Tensor:
        """Weigh x (batch, channels, mels, frames)."""
        weighed: Tensor = self.conc_se_layers[0](x)
        return weighed


class InvertedResidual(nn.Module):
    """Widen, convolve each channel by itself, weigh the channels, narrow; added to x if of its shape."""

    def __init__(self, channels_in: int, shape: BlockShape, width: float) -> None:
        """Build one row of table 1 at a width; without the first step where it would not widen."""
        super().__init__()
        expanded = multiple_of_8(shape.expanded * width)
        channels_out = multiple_of_8(shape.channels * width)
        act = shape.activation
        layers: list[nn.Module] = []
        if expanded != channels_in:
            layers.append(normed(pointwise(channels_in, expanded), act))
        depthwise = nn.Conv2d(
            expanded,
            expanded,
            shape.kernel,
            shape.stride,
            padding=shape.kernel // 2,
            groups=expanded,
            bias=False,
        )
        layers.append(normed(depthwise, act))
        if shape.squeeze:
            layers.append(SqueezeExcite(expanded))
        layers.append(normed(pointwise(expanded, channels_out)))
        self.block = nn.Sequential(*layers)
        self.adds = shape.stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels_in, mels, frames) to channels_out, both axes divided by the stride."""
        y: Tensor = self.block(x)
        return x + y if self.adds else y


class MobileNet(Encoder):
    """Stem, 15 inverted residuals, a 1 x 1 convolution, and the mean over mels and frames.

    Any number of frames will do: both axes are divided by 32, rounded up.
    """

    front_end: ClassVar[FrontEnd] = CPJKU
    hears_seconds: ClassVar[tuple[float, float]] = (0.02, math.inf)  # more than half an FFT window
    learning_rate: ClassVar[float] = 8e-4  # of the authors' ex_audioset.py
    layer_names: ClassVar[tuple[tuple[str, ...], ...]] = tuple(
        (f"features.{number}.",) for number in range(len(BLOCKS) + 2)
    )
    published_head: ClassVar[Mapping[str, str]] = {"classifier.2.": "0.", "classifier.5.": "3."}
    width: ClassVar[float]

    def __init__(self) -> None:
        """Build with random weights."""
        super().__init__()
        channels = multiple_of_8(STEM_CHANNELS * self.width)
        layers: list[nn.Module] = [stem(channels)]
        for shape in BLOCKS:
            layers.append(InvertedResidual(channels, shape, self.width))
            channels = multiple_of_8(shape.channels * self.width)
        layers.append(normed(pointwise(channels, self.embedding_dimensions), nn.Hardswish))
        self.features = nn.Sequential(*layers)
        self.features.apply(start)
        self.to(memory_format=torch.channels_last)  # more than twice as fast on a CPU

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return the embedding (batch, embedding_dimensions) of log_mel (batch, frames, 128)."""
        x: Tensor = self.features(log_mel.transpose(1, 2).unsqueeze(1))
        return x.mean(dim=(2, 3))

    def make_head(self, labels: int) -> nn.Module:
        """Build the published head of two linear layers, which has a width of its own."""
        return mlp_head(self.embedding_dimensions, multiple_of_8(1280 * self.width), labels)


class Mn04(MobileNet):
    """0.98 M parameters with a head for 527 labels."""

    name: ClassVar[str] = "mn04"
    width: ClassVar[float] = 0.4
    embedding_dimensions: ClassVar[int] = 384


class Mn10(MobileNet):
    """4.88 M parameters with a head for 527 labels."""

    name: ClassVar[str] = "mn10"
    width: ClassVar[float] = 1.0
    embedding_dimensions: ClassVar[int] = 960


class Mn40(MobileNet):
    """68.43 M parameters with a head for 527 labels."""

    name: ClassVar[str] = "mn40"
    width: ClassVar[float] = 4.0
    embedding_dimensions: ClassVar[int] = 3840
