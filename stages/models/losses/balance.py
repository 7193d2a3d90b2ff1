"""More weight for the clips of rare labels."""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own custom
from torch import Tensor

# Most that a clip's own label may weigh against one that it lacks, and least. A label with one clip
# in a million would otherwise have a step's whole gradient to itself whenever that clip is drawn.
_MOST = 100.0


def positive_weights(counts: Tensor, clips: int, power: float) -> Tensor:
    """Weights of the cells of the cross-entropy, (2, labels) float32: row 0 without, row 1 with the label.

    A cell (clip, label) weighs

        r_c = ((clips without c) / (clips with c)) ** power

    where the clip has label c, 1 where it has not, all over their mean over the training clips. The
    weights are thus 1 on average, and the loss of a model that says 0.5 to everything is the same for
    every power. At power 1 the clips of a label weigh together what those without it do, as in the
    `pos_weight` of torch's BCEWithLogitsLoss. r_c is kept within 1/100 .. 100; it is 1 for a label
    without training clips, of which the loss knows nothing.

    Args:
        counts: (labels,), training clips with each label, 0 .. clips.
        clips: training clips, at least 1.
        power: in [0, 1]; at 0 every weight is 1.
    """
    present = counts.double()
    ratios = ((clips - present) / present.clamp(min=1)) ** power
    ratios = torch.where(present > 0, ratios.clamp(1 / _MOST, _MOST), torch.ones_like(ratios))
    mean = (present * ratios + (clips - present)).mean() / clips
    return (torch.stack([torch.ones_like(ratios), ratios]) / mean).float()


def balanced_cells(cells: Tensor, logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Weigh the cells of the cross-entropy by `positive_weights`: (batch, labels).

        w0 * cell + (w1 - w0) * y * -log s(x)

    y are the targets before smoothing: what smoothing adds to a label that a clip lacks weighs as such
    a label does. Under mixup the weights are mixed as the targets are.

    Args:
        cells: (batch, labels), of `cross_entropy_cells`.
        logits: (batch, labels), before the sigmoid.
        targets: (batch, labels) in [0, 1], not smoothed.
        weights: (2, labels), of `positive_weights`, on the same device.
    """
    without, with_label = weights.to(cells.dtype).unbind()
    missed = targets.to(cells.dtype) * F.softplus(-logits.to(cells.dtype))
    return without * cells + (with_label - without) * missed
