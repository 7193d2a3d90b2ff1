"""What every audio encoder is."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from stages.audio.log_mel import FrontEnd
from stages.errors import UsageError

# Fine-tuning mn04 on UrbanSound8K, the best of 0.001, 0.0003 and 0.0001.
FINE_TUNING_RATE = 3e-4


class Encoder(nn.Module, ABC):
    """Log-mel spectrogram to features, and features to one embedding a clip.

    Parameters have the names that they have in the published checkpoint, where there is one. What is
    the tagger's head here, and what is left out, is declared for `public_checkpoint`.

    Attributes:
        name: by which it is asked for.
        front_end: what the encoder hears.
        hears_seconds: the shortest and the longest window that it can hear, in seconds.
        embedding_dimensions: of the embedding.
        learning_rate: peak of AdamW's that random weights learn well at, where none is given.
        fine_tuning_rate: the same where the encoder starts from published weights.
        layer_names: layers from input to output, each by the beginnings of its parameters' names;
            every parameter is in exactly one.
        undecayed_names: last parts of the names of parameters that weight decay would only pull
            away from what they say, although they have several dimensions: tokens, positions.
        published_head: beginnings of names in the published checkpoint that belong to the head, and
            what takes their place there.
        published_unused: beginnings of names in the published checkpoint that nothing needs:
            constants that the front end computes itself, heads for another task.
    """

    name: ClassVar[str]
    front_end: ClassVar[FrontEnd]
    hears_seconds: ClassVar[tuple[float, float]]
    embedding_dimensions: ClassVar[int]
    learning_rate: ClassVar[float]
    fine_tuning_rate: ClassVar[float] = FINE_TUNING_RATE
    layer_names: ClassVar[tuple[tuple[str, ...], ...]]
    undecayed_names: ClassVar[tuple[str, ...]] = ()
    published_head: ClassVar[Mapping[str, str]] = {}
    published_unused: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def front_end_for(cls, clip_seconds: float) -> FrontEnd:  # noqa: ARG003 - most hear any length alike
        """Return the front end for windows of this length."""
        return cls.front_end

    @classmethod
    def check_length(cls, clip_seconds: float) -> None:
        """Refuse windows that the encoder cannot hear.

        Raises:
            UsageError: they are too short or too long.
        """
        shortest, longest = cls.hears_seconds
        if not shortest <= clip_seconds <= longest:
            span = f"{shortest:g} to {longest:g} s" if longest < math.inf else f"{shortest:g} s up"
            raise UsageError(
                f"encoder '{cls.name}' hears windows of {span}, not of {clip_seconds:g} s",
                "give another --clip-seconds, or another --encoder",
            )

    @classmethod
    def layers_above(cls, parameter_name: str) -> int:
        """Count the layers between a parameter of the encoder and the logits, the head among them."""
        layer = next(
            number
            for number, beginnings in enumerate(cls.layer_names)
            if parameter_name.startswith(beginnings)
        )
        return len(cls.layer_names) - layer

    def set_patchout(self, time: int, mel: int, clip_seconds: float) -> None:  # noqa: ARG002
        """Leave out columns (`time`) and rows (`mel`) of patches in training; 0 and 0: none.

        Raises:
            UsageError: the encoder leaves none out, or windows of `clip_seconds` have no more than that.
        """
        for option, count in (("--patchout-time", time), ("--patchout-mel", mel)):
            if count:
                raise UsageError(
                    f"{option} {count}: encoder '{self.name}' leaves no patches out, passt alone does",
                    f"drop {option}, or train --encoder passt",
                )

    @abstractmethod
    def forward(self, log_mel: Tensor) -> Tensor:
        """Return the features (batch, ...) of log_mel (batch, frames, mel_bands)."""

    def embedding(self, features: Tensor) -> Tensor:
        """Return the embedding (batch, embedding_dimensions) of features (batch, ...)."""
        return features

    def make_head(self, labels: int) -> nn.Module:
        """Build the module that maps features (batch, ...) to logits (batch, labels)."""
        return nn.Linear(self.embedding_dimensions, labels)
