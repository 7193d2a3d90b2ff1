"""What every audio encoder is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from stages.audio.log_mel import FrontEnd


class Encoder(nn.Module, ABC):
    """Log-mel spectrogram to features, and features to one embedding a clip.

    Parameters have the names that they have in the published checkpoint, where there is one. What is
    the tagger's head here, and what is left out, is declared for `public_checkpoint`.

    Attributes:
        front_end: what the encoder hears.
        embedding_dimensions: of the embedding.
        published_head: beginnings of names in the published checkpoint that belong to the head, and
            what takes their place there.
        published_unused: beginnings of names in the published checkpoint that nothing needs:
            constants that the front end computes itself, heads for another task.
    """

    front_end: ClassVar[FrontEnd]
    embedding_dimensions: ClassVar[int]
    published_head: ClassVar[Mapping[str, str]] = {}
    published_unused: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def front_end_for(cls, clip_seconds: float) -> FrontEnd:  # noqa: ARG003 - most hear any length alike
        """Return the front end for windows of this length."""
        return cls.front_end

    @abstractmethod
    def forward(self, log_mel: Tensor) -> Tensor:
        """Return the features (batch, ...) of log_mel (batch, frames, mel_bands)."""

    def embedding(self, features: Tensor) -> Tensor:
        """Return the embedding (batch, embedding_dimensions) of features (batch, ...)."""
        return features

    def make_head(self, labels: int) -> nn.Module:
        """Build the module that maps features (batch, ...) to logits (batch, labels)."""
        return nn.Linear(self.embedding_dimensions, labels)
