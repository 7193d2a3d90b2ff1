"""The texts at scoring: a label gains that is near to what the model hears, and a far one loses."""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own custom
from torch import Tensor, nn


class TextPull(nn.Module):
    """Logits, moved by how near each label's text is to those of what they say.

    With s = softmax(x) over the labels and z = sum of s_c t_c, the text of what is heard,

        x'_c = x_c + strength * (cos(z, t_c) - m)

    where m is the mean of t_p . t_c over pairs of labels, so that a label of no relation stays where it
    was. OmAP counts a false alarm by its distance from what the clip has: of two labels with one logit,
    the one whose text is nearer to the rest comes first. (Ours; what it gains is in docs/method.md.)

    Attributes:
        texts: (labels, dimensions), unit length.
        strength: in units of a logit; at least 0.
    """

    texts: Tensor

    def __init__(self, texts: Tensor, strength: float) -> None:
        """Keep a copy of the texts: they are saved with the model."""
        super().__init__()
        self.strength = strength
        self.register_buffer("texts", texts.detach().clone().float())

    def forward(self, logits: Tensor) -> Tensor:
        """Return the moved logits (batch, labels) of logits (batch, labels), in float32."""
        logits = logits.float()
        heard = F.normalize(torch.softmax(logits, dim=1) @ self.texts, dim=1)
        return logits + self.strength * (heard @ self.texts.T - self._typical())

    def _typical(self) -> Tensor:
        """The mean of t_p . t_c over all pairs of two labels, a scalar; 0 for one label."""
        labels = len(self.texts)
        pairs = max(labels * (labels - 1), 1)
        return (self.texts.sum(dim=0).square().sum() - self.texts.square().sum()) / pairs
