"""PANNs Cnn14 (Kong et al., IEEE/ACM TASLP 2020, arXiv 1912.10211, table I).

Parameter names are those of the published checkpoints.
"""

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own custom
from torch import Tensor, nn

from stages.audio.log_mel import FrontEnd
from stages.models.encoders.base import Encoder
from stages.models.encoders.front_ends import PANNS


class ConvBlock(nn.Module):
    """Two 3 x 3 convolutions, each with batch norm and ReLU, then average pooling."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        """Xavier weights, as published; batch norms start as the identity."""
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.bn2 = nn.BatchNorm2d(channels_out)
        nn.init.xavier_uniform_(self.conv1.weight)
        nn.init.xavier_uniform_(self.conv2.weight)

    def forward(self, x: Tensor, pool: tuple[int, int]) -> Tensor:
        """Map (batch, channels_in, frames, mels) to channels_out, both axes divided by `pool`."""
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return F.avg_pool2d(x, pool)


class Cnn14(Encoder):
    """Six blocks; mean over mel bands; maximum plus mean over time; one linear layer."""

    name: ClassVar[str] = "cnn14"
    front_end: ClassVar[FrontEnd] = PANNS
    hears_seconds: ClassVar[tuple[float, float]] = (0.31, math.inf)  # 32 frames
    embedding_dimensions: ClassVar[int] = 2048
    learning_rate: ClassVar[float] = 1e-3  # of the authors' scripts/4_train.sh
    layer_names: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("bn0.", "conv_block1."),
        *((f"conv_block{number}.",) for number in range(2, 7)),
        ("fc1.",),
    )
    published_head: ClassVar[Mapping[str, str]] = {"fc_audioset.": ""}
    published_unused: ClassVar[tuple[str, ...]] = ("spectrogram_extractor.", "logmel_extractor.")
    channels: ClassVar[tuple[int, ...]] = (1, 64, 128, 256, 512, 1024, 2048)

    def __init__(self) -> None:
        """Build with random weights."""
        super().__init__()
        self.bn0 = nn.BatchNorm2d(self.front_end.mel_bands)
        for number, (before, after) in enumerate(
            zip(self.channels[:-1], self.channels[1:], strict=True), start=1
        ):
            setattr(self, f"conv_block{number}", ConvBlock(before, after))
        self.fc1 = nn.Linear(2048, 2048)
        nn.init.xavier_uniform_(self.fc1.weight)
        nn.init.zeros_(self.fc1.bias)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return the embedding (batch, 2048); dropout of 0.2 and 0.5 while training, as published."""
        x = self.bn0(log_mel.unsqueeze(1).transpose(1, 3)).transpose(1, 3)
        blocks = len(self.channels) - 1
        for number in range(1, blocks + 1):
            block: ConvBlock = getattr(self, f"conv_block{number}")
            x = block(x, pool=(2, 2) if number < blocks else (1, 1))
            x = F.dropout(x, 0.2, self.training)
        x = x.mean(dim=3)
        x = torch.amax(x, dim=2) + x.mean(dim=2)
        x = F.dropout(x, 0.5, self.training)
        return F.dropout(F.relu(self.fc1(x)), 0.5, self.training)
