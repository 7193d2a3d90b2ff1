"""The labels' texts as directions to align with."""

import torch.nn.functional as F  # noqa: N812 - torch's own custom
from torch import Tensor

# Of unit length before: what is left of a text that is equal to the mean, but for rounding.
_NOTHING_LEFT = 1e-5


def centred(text_embeddings: Tensor) -> Tensor:
    """Subtract the mean over labels and scale to unit length again: (labels, dimensions).

    Text embeddings of similar prompts share a large common direction; what is left tells them apart.
    A text equal to the mean has no direction left: it becomes 0 and pulls nowhere.

    Args:
        text_embeddings: (labels, dimensions), unit length.
    """
    left = text_embeddings - text_embeddings.mean(dim=0, keepdim=True)
    return F.normalize(left * (left.norm(dim=1, keepdim=True) > _NOTHING_LEFT), dim=1)
