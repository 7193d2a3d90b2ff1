"""Semantic Proximity Alignment (Liu and Ren, ICASSP 2024, arXiv 2309.16265): four rules.

z is the projected embedding of a clip, t_c the text embedding of label c, y the clip's targets. Each rule
is a scalar, the mean over the clips that have a label: a clip without one has no text and takes no part.
Under mixup the texts are mixed as the targets are: a label that is 0.3 there counts 0.3 of a label.

In every function:
    projected: (batch, dimensions), of any length and floating dtype; computed in at least float32.
    targets: (batch, labels) in [0, 1], not smoothed.
    texts: (labels, dimensions), frozen, unit length (0 for a label without a text).
"""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own custom
from torch import Tensor


def align_to_mean(projected: Tensor, targets: Tensor, texts: Tensor) -> Tensor:
    """L_SPA by the rule `mean`: 1 - cos(z, sum of y_c t_c), in [0, 2]; 0 at the mean of the clip's texts.

    The form of the paper for one label; the sum points where the mean of the texts does.
    """
    projected = _precise(projected)
    text = mixed_texts(targets, texts).to(projected.dtype)
    return _over_labelled(1.0 - F.cosine_similarity(projected, text, dim=1), targets)


def align_to_each(projected: Tensor, targets: Tensor, texts: Tensor) -> Tensor:
    """L_SPA by the rule `each`: sum of y_c (1 - cos(z, t_c)) / sum of y_c, in [0, 2].

    0 only where all texts of the clip are one. A clip whose labels are far apart pulls less than by
    the rule `mean`, since its texts pull in different directions.
    """
    cosines = _cosines(_precise(projected), texts)
    return _over_labelled(1.0 - (_per_label(targets, cosines) * cosines).sum(dim=1), targets)


def align_to_distribution(
    projected: Tensor, targets: Tensor, texts: Tensor, temperature: float
) -> Tensor:
    """L_SPA by the rule `soft`: temperature * KL(q, softmax over c of cos(z, t_c) / temperature), >= 0.

    q is `text_distributions` of the clip. It is the cross-entropy of the two less the entropy of q: 0
    is perfect, and reached by a clip with one label where z points where its text does. The factor
    undoes what the division does to the gradient (distillation has temperature ** 2 for the same
    reason: Hinton et al., arXiv 1503.02531, section 2): at a z of unit length it is at most 2 for
    every temperature, as it is at most 1 by the other rules.

    Args:
        projected: see above.
        targets: see above.
        texts: see above.
        temperature: above 0; lower: only the nearest labels matter.
    """
    projected = _precise(projected)
    wanted = text_distributions(targets, texts, temperature).to(projected.dtype)
    heard = F.log_softmax(_cosines(projected, texts) / temperature, dim=1)
    divergence = F.kl_div(heard, wanted, reduction="none").sum(dim=1)
    return temperature * _over_labelled(divergence, targets)


def align_head(logits: Tensor, targets: Tensor, texts: Tensor, temperature: float) -> Tensor:
    """L_SPA by the rule `head`: KL(q, softmax over c of the head's logits), >= 0; 0 is perfect.

    q is `text_distributions` of the clip, as for `soft`. No projection stands between the clip and the
    texts: the head itself has to place a clip among the labels as its texts lie among them, so that a
    label far from all that the clip has gets less than one near to them.

    Args:
        logits: (batch, labels), of any floating dtype; computed in at least float32.
        targets: see above.
        texts: see above.
        temperature: above 0; lower: only the nearest labels matter.
    """
    logits = _precise(logits)
    wanted = text_distributions(targets, texts, temperature).to(logits.dtype)
    divergence = F.kl_div(F.log_softmax(logits, dim=1), wanted, reduction="none").sum(dim=1)
    return _over_labelled(divergence, targets)


def mixed_texts(targets: Tensor, texts: Tensor) -> Tensor:
    """Sum of y_c t_c, (batch, dimensions): linear in the targets, so a mixture's is the mixture."""
    return targets.to(texts.dtype) @ texts


def text_distributions(targets: Tensor, texts: Tensor, temperature: float) -> Tensor:
    """What the rule `soft` wants, (batch, labels), rows of sum 1; 0 for a clip without labels.

    The mean over the clip's labels p, weighed by y_p, of softmax over c of t_p . t_c / temperature.
    The mean is over labels: of a mixture of halves of a clip with one label and of one with three, the
    first makes a quarter, as it does of `mixed_texts`.
    """
    proximity = F.softmax(texts @ texts.T / temperature, dim=1)
    return _per_label(targets, proximity) @ proximity


def spreading_temperature(texts: Tensor, own_share: float = 0.5) -> float:
    """Return the temperature at which a label keeps `own_share` of its own distribution, on average.

    So a distribution is spread alike however many labels there are, and however crowded a text encoder
    makes them: with MiniLM's paths it is 0.27 for UrbanSound8K's ten labels, 0.09 for the
    demonstration's 61 and 0.075 for AudioSet's 527. Found by bisection, since the share falls as the
    temperature rises; at most 10 and at least 0.001, where no temperature does it (two labels, or all
    texts alike).

    Args:
        texts: see above.
        own_share: in (0, 1).
    """
    proximity = (texts @ texts.T).double()
    low, high = 1e-3, 10.0
    for _ in range(50):
        middle = (low * high) ** 0.5
        kept = F.softmax(proximity / middle, dim=1).diagonal().mean()
        low, high = (middle, high) if kept > own_share else (low, middle)
    return high


def _precise(projected: Tensor) -> Tensor:
    return projected.to(torch.promote_types(projected.dtype, torch.float32))


def _cosines(projected: Tensor, texts: Tensor) -> Tensor:
    """cos(z, t_c), (batch, labels)."""
    return F.normalize(projected, dim=1) @ texts.to(projected.dtype).T


def _per_label(targets: Tensor, like: Tensor) -> Tensor:
    """Targets over their sum, (batch, labels), rows of sum 1 or 0."""
    targets = targets.to(like.dtype)
    return targets / torch.where(_labelled(targets), targets.sum(dim=1), 1.0).unsqueeze(1)


def _labelled(targets: Tensor) -> Tensor:
    return targets.sum(dim=1) > 0


def _over_labelled(losses: Tensor, targets: Tensor) -> Tensor:
    """Mean over the clips with a label, a scalar; 0 where there are none."""
    labelled = _labelled(targets)
    return (losses * labelled).sum() / labelled.sum().clamp(min=1)
