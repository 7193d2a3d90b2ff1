"""The training losses: classification, alignment with the labels' texts, and how the two are weighed."""

import torch
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


def balance(classification: Tensor, alignment: Tensor, embedding: Tensor) -> Tensor:
    """Return the factor (a scalar, no gradient) that gives both losses gradients of one size.

    The raw cosine loss is about ten times a cross-entropy that is averaged over labels, and how many
    times depends on their number. So the alignment is measured by its pull on the clip embedding: with
    this factor, an `alignment_weight` of 0.5 pulls half as hard as the classification loss does,
    whatever the number of labels. The norms are over the batch.

    Args:
        classification: scalar loss that depends on `embedding`.
        alignment: scalar loss that depends on `embedding`.
        embedding: (batch, dimensions), part of the graph of both.
    """
    (pull,) = torch.autograd.grad(classification, embedding, retain_graph=True)
    (other,) = torch.autograd.grad(alignment, embedding, retain_graph=True)
    ratio: Tensor = pull.float().norm() / other.float().norm().clamp(min=1e-12)
    return ratio.detach()
