"""The training losses: classification, alignment with the labels' texts, and how the two are weighed."""

import torch.nn.functional as F  # noqa: N812 - torch's own custom
from torch import Tensor


def classification_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy, the mean over clips and labels.

    Args:
        logits: (batch, labels), before the sigmoid.
        targets: (batch, labels) in [0, 1]; between the two under mixup.
    """
    return F.binary_cross_entropy_with_logits(logits.float(), targets)


def centred(text_embeddings: Tensor) -> Tensor:
    """Subtract the mean over labels and scale to unit length again: (labels, dimensions).

    Text embeddings of similar prompts share a large common direction; what is left tells them apart.
    """
    return F.normalize(text_embeddings - text_embeddings.mean(dim=0, keepdim=True), dim=1)


def alignment_loss(projected: Tensor, targets: Tensor, text_embeddings: Tensor) -> Tensor:
    """L_SPA by the rule `mean`: 1 - cos(z, mean of the texts of the clip's labels), mean over clips.

    Semantic Proximity Alignment, Liu and Ren, ICASSP 2024, arXiv 2309.16265. Under mixup the texts are
    mixed as the targets are. A clip without labels has no text and takes no part.

    Args:
        projected: (batch, dimensions), the clip embedding in the text space, of any length.
        targets: (batch, labels) in [0, 1].
        text_embeddings: (labels, dimensions), frozen, unit length.
    """
    text = targets @ text_embeddings
    labelled = targets.sum(dim=1) > 0
    distances = 1.0 - F.cosine_similarity(projected.float(), text, dim=1)
    return (distances * labelled).sum() / labelled.sum().clamp(min=1)


def combined_loss(
    classification: Tensor, alignment: Tensor, targets: Tensor, alignment_weight: float
) -> Tensor:
    """Return classification + alignment_weight * density * alignment, a scalar.

    The cross-entropy is a mean over a table of (batch, labels) cells, in which only the cells of labels
    that a clip has speak of what the clip is. Their share, the density, is what the cosine loss is
    multiplied with: the cosine distance is then charged once for every such cell, on the same table.
    So a weight means the same for 10 labels and for 527, where the raw cosine loss would weigh fifty
    times as much against the cross-entropy.

    Args:
        classification: scalar.
        alignment: scalar, the cosine loss.
        targets: (batch, labels) in [0, 1]; density is their mean.
        alignment_weight: at least 0; at 0 the result is `classification` itself.
    """
    if alignment_weight == 0:
        return classification
    return classification + alignment_weight * targets.mean() * alignment
