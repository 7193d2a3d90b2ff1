"""PSLA's EfficientNet-B2 (Gong, Chung, Glass, IEEE/ACM TASLP 2021, arXiv 2102.01243, section III).

The network is that of Tan and Le, ICML 2019, arXiv 1905.11946, table 1, wider and deeper by the factors
of B2. Parameter names are those of the published checkpoints.
"""

import math
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own custom
from torch import Tensor, nn

from stages.audio.log_mel import FrontEnd
from stages.models.encoders.attention_pooling import AttentionPooling
from stages.models.encoders.base import Encoder
from stages.models.encoders.front_ends import KALDI


class Stage(NamedTuple):
    """Blocks of one kind in a row; the first one has the stride and changes the channels."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels_in: int
    channels_out: int


B2_STAGES = (
    Stage(2, 3, 1, 1, 32, 16),
    Stage(3, 3, 2, 6, 16, 24),
    Stage(3, 5, 2, 6, 24, 48),
    Stage(4, 3, 2, 6, 48, 88),
    Stage(4, 5, 1, 6, 88, 120),
    Stage(5, 5, 2, 6, 120, 208),
    Stage(2, 3, 1, 6, 208, 352),
)
FEATURE_CHANNELS = 1408
FRAMES_A_STEP, PUBLISHED_STEPS, PUBLISHED_SECONDS = 32, 33, 10
DROPPED_SHARE = 0.2  # of the clips skip a block's branch: linear in depth, from 0 to nearly this


def convolution(channels_in: int, channels_out: int, kernel: int = 1, stride: int = 1) -> nn.Conv2d:
    """Build a convolution without bias that gives ceil(size / stride) values on both axes.

    The published weights were trained with efficientnet_pytorch 0.7.0, which pads by kernel // 2 on
    every side: the static "same" padding of a 260 x 260 picture, its odd pixel put on both sides. (From
    0.7.1 on it is put on one side alone, which shifts the picture and changes the outputs.)
    """
    return nn.Conv2d(
        channels_in, channels_out, kernel, stride=stride, padding=kernel // 2, bias=False
    )


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Build a batch norm with EfficientNet's epsilon and momentum."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class Block(nn.Module):
    """Mobile inverted bottleneck: expand, depthwise, squeeze and excite, project; add the input."""

    def __init__(self, stage: Stage, first: bool, dropped_share: float) -> None:
        """Build block of `stage`; `dropped_share` of the clips skip its branch while training."""
        super().__init__()
        channels_in = stage.channels_in if first else stage.channels_out
        stride = stage.stride if first else 1
        inner, squeezed = channels_in * stage.expansion, channels_in // 4
        self.dropped_share = dropped_share
        self.expands, self.is_residual = stage.expansion > 1, not first
        if self.expands:
            self._expand_conv = convolution(channels_in, inner)
            self._bn0 = batch_norm(inner)
        self._depthwise_conv = nn.Conv2d(
            inner, inner, stage.kernel, stride, stage.kernel // 2, groups=inner, bias=False
        )
        self._bn1 = batch_norm(inner)
        self._se_reduce = nn.Conv2d(inner, squeezed, 1)
        self._se_expand = nn.Conv2d(squeezed, inner, 1)
        self._project_conv = convolution(inner, stage.channels_out)
        self._bn2 = batch_norm(stage.channels_out)

    def forward(self, block_input: Tensor) -> Tensor:
        """Map (batch, channels_in, height, width) to channels_out, both axes divided by the stride."""
        x = block_input
        if self.expands:
            x = F.silu(self._bn0(self._expand_conv(x)))
        x = F.silu(self._bn1(self._depthwise_conv(x)))
        squeezed = self._se_reduce(x.mean(dim=(2, 3), keepdim=True))
        x = x * torch.sigmoid(self._se_expand(F.silu(squeezed)))
        x = self._bn2(self._project_conv(x))
        return self._dropped(x) + block_input if self.is_residual else x

    def _dropped(self, branch: Tensor) -> Tensor:
        """Stochastic depth (Huang et al., ECCV 2016): zero for some clips, the others scaled up."""
        if not self.training:
            return branch
        return branch * F.dropout(branch.new_ones(len(branch), 1, 1, 1), self.dropped_share)


class EfficientNet(nn.Module):
    """Stem, blocks and last convolution; no classifier."""

    def __init__(self, stages: tuple[Stage, ...]) -> None:
        """Build with torch's random weights, as published for training from nothing."""
        super().__init__()
        self._conv_stem = convolution(1, stages[0].channels_in, kernel=3, stride=2)
        self._bn0 = batch_norm(stages[0].channels_in)
        places = [(stage, number == 0) for stage in stages for number in range(stage.blocks)]
        self._blocks = nn.ModuleList(
            Block(stage, first, DROPPED_SHARE * number / len(places))
            for number, (stage, first) in enumerate(places)
        )
        self._conv_head = convolution(stages[-1].channels_out, FEATURE_CHANNELS)
        self._bn1 = batch_norm(FEATURE_CHANNELS)

    def forward(self, picture: Tensor) -> Tensor:
        """Map (batch, 1, height, width) to (batch, 1408, height / 32, width / 32), rounded up."""
        x = F.silu(self._bn0(self._conv_stem(picture)))
        for block in self._blocks:
            x = block(x)
        return F.silu(self._bn1(self._conv_head(x)))


class EfficientNetB2(Encoder):
    """EfficientNet-B2, mean over frequency; the head pools over time by four heads of attention.

    The published model hears 1056 frames (10.56 s): shorter clips are filled up with zeros after the
    logarithm, longer ones cut off. `front_end_for` makes that fit clips of another length.
    """

    name: ClassVar[str] = "efficientnet_b2"
    front_end: ClassVar[FrontEnd] = KALDI.model_copy(
        update={"frames": FRAMES_A_STEP * PUBLISHED_STEPS, "shift": -4.6476, "divisor": 4.5699}
    )
    hears_seconds: ClassVar[tuple[float, float]] = (0.025, math.inf)  # one frame
    embedding_dimensions: ClassVar[int] = FEATURE_CHANNELS
    learning_rate: ClassVar[float] = 1e-3  # of the authors' egs/audioset/run.sh, balanced set
    layer_names: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("effnet._conv_stem.", "effnet._bn0."),
        *((f"effnet._blocks.{number}.",) for number in range(sum(s.blocks for s in B2_STAGES))),
        ("effnet._conv_head.", "effnet._bn1."),
    )
    published_head: ClassVar[Mapping[str, str]] = {"attention.": ""}

    def __init__(self) -> None:
        """Build with random weights."""
        super().__init__()
        self.effnet = EfficientNet(B2_STAGES)
        self.to(memory_format=torch.channels_last)  # trains a third faster on a CPU

    @classmethod
    def front_end_for(cls, clip_seconds: float) -> FrontEnd:
        """Return the front end for clips of this length: as large a share of zeros as published for 10 s.

        That is 1056 frames for 10 s, 544 for 5 s, 128 for 1 s, always whole steps of 32. With all 1056
        frames a clip of 1 s would cost seven times as much, and squeeze-and-excitation and attention
        would average over zeros for the most part.
        """
        frames = FRAMES_A_STEP * math.ceil(PUBLISHED_STEPS * clip_seconds / PUBLISHED_SECONDS)
        return cls.front_end.model_copy(update={"frames": frames})

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return features (batch, 1408, steps), 32 frames a step, of log_mel (batch, frames, 128)."""
        picture = log_mel.unsqueeze(1).transpose(2, 3)
        features: Tensor = self.effnet(picture).mean(dim=2)
        return features

    def embedding(self, features: Tensor) -> Tensor:
        """Return the mean over time (batch, 1408); the published model has no embedding of a clip."""
        return features.mean(dim=2)

    def make_head(self, labels: int) -> nn.Module:
        """Build the attention pooling that maps features (batch, 1408, steps) to logits."""
        return AttentionPooling(FEATURE_CHANNELS, labels)
