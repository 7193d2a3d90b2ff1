"""PSLA's attention pooling over time (Gong, Chung, Glass, IEEE/ACM TASLP 2021, arXiv 2102.01243)."""

import torch
from torch import Tensor, nn


class AttentionPooling(nn.Module):
    """Several heads, each a mean over time of the labels' sigmoids, weighted by the head's attention.

    The published head gives probabilities: p of a label is the sum over the heads h of
    w_h * sum over t of a_ht * sigmoid(c_ht), where c and the attention's own logits are linear in the
    features, a is the attention's sigmoid divided by its sum over time, and w is learned and free: p can
    pass 1. This head gives logits, as every head here does: ln(p / (1 - p)) of p clamped to
    (EPSILON, 1 - EPSILON), the clamp of the published training; a sigmoid gives the clamped p back, and
    the cross-entropy of the logits is that of p. Beyond the clamp the gradient is zero, as published.
    """

    EPSILON = 1e-7

    def __init__(self, channels: int, labels: int, heads: int = 4) -> None:
        """Draw weights as torch does; all heads weigh the same. As published."""
        super().__init__()
        self.att = nn.ModuleList(nn.Conv2d(channels, labels, 1) for _ in range(heads))
        self.cla = nn.ModuleList(nn.Conv2d(channels, labels, 1) for _ in range(heads))
        self.head_weight = nn.Parameter(torch.full((heads,), 1.0 / heads))

    def forward(self, features: Tensor) -> Tensor:
        """Return logits (batch, labels), float32, of features (batch, channels, steps)."""
        return torch.logit(self.probabilities(features), eps=self.EPSILON)

    def probabilities(self, features: Tensor) -> Tensor:
        """Return the published output p (batch, labels), float32, in no way clamped.

        Sigmoids and what follows are in float32 whatever the autocast: 1 - EPSILON is 1 in bfloat16.
        """
        steps = features.unsqueeze(3)
        heads = []
        for att, cla in zip(self.att, self.cla, strict=True):
            attention = torch.sigmoid(att(steps).float().squeeze(3))
            attention = attention.clamp(self.EPSILON, 1.0 - self.EPSILON)  # the sum is never 0
            attention = attention / attention.sum(dim=2, keepdim=True)
            heads.append((attention * torch.sigmoid(cla(steps).float().squeeze(3))).sum(dim=2))
        return (torch.stack(heads, dim=2) * self.head_weight).sum(dim=2)  # @ would be in bfloat16
