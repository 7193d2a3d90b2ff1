"""The tagger: front end, encoder, classification head and projection into the text space."""

import torch
from torch import Tensor, nn

from stages.audio.log_mel import FrontEnd, LogMel
from stages.models.encoders import ENCODERS
from stages.models.text_pull import TextPull


class Tagger(nn.Module):
    """Waveform to logits, and its embedding to the space of the text embeddings.

    Training is on the logits of the head; `forward` is for scoring, where the texts take part (`pull`).

    The projection exists only when `text_dimensions` is given. Its weights are drawn from a generator
    of its own, so that with one seed the rest starts the same with and without it.
    """

    def __init__(
        self,
        encoder: str,
        labels: int,
        text_dimensions: int | None = None,
        front_end: FrontEnd | None = None,
        pull: TextPull | None = None,
    ) -> None:
        """Build with random weights, from torch's default generator.

        Args:
            encoder: name in ENCODERS.
            labels: how many the head is for.
            text_dimensions: of the text space; None: no projection.
            front_end: one of the encoder's `front_end_for`; None: the published one.
            pull: what the texts do to the logits at scoring; None: nothing.
        """
        super().__init__()
        self.encoder = ENCODERS[encoder]()
        self.log_mel = LogMel(front_end or self.encoder.front_end)
        self.head = self.encoder.make_head(labels)
        self.pull = pull
        self.projection: nn.Linear | None = None
        if text_dimensions is not None:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(torch.initial_seed() + 1)
                self.projection = nn.Linear(self.encoder.embedding_dimensions, text_dimensions)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return logits (batch, labels) of waveform (batch, samples) at the encoder's sample rate."""
        logits: Tensor = self.head(self.encoder(self.log_mel(waveform)))
        return logits if self.pull is None else self.pull(logits)
