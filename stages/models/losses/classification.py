"""Binary cross-entropy, cell by cell, for what weighs the cells before they are averaged."""

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own custom
from torch import Tensor


def cross_entropy_cells(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy of each clip and label: (batch, labels), at least float32.

    -y log s(x) - (1 - y) log(1 - s(x)), with s the sigmoid. It is linear in y: the loss of a mixture
    of targets is the mixture of their losses.

    Args:
        logits: (batch, labels), before the sigmoid, of any floating dtype.
        targets: (batch, labels) in [0, 1]; between the two under mixup and smoothing.
    """
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return F.binary_cross_entropy_with_logits(logits, targets.to(logits.dtype), reduction="none")
