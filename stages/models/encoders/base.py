"""What every audio encoder is."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from stages.audio.log_mel import FrontEnd


class Encoder(nn.Module, ABC):
    """Log-mel spectrogram to one embedding a clip."""

    front_end: ClassVar[FrontEnd]
    embedding_dimensions: ClassVar[int]

    @abstractmethod
    def forward(self, log_mel: Tensor) -> Tensor:
        """Return the embedding (batch, embedding_dimensions) of log_mel (batch, frames, mel_bands)."""
