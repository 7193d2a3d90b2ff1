"""PSLA's head where its probabilities leave the open interval (0, 1)."""

import math

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own custom
from torch import Tensor, nn

from stages.models.encoders.attention_pooling import AttentionPooling


@pytest.fixture
def head() -> AttentionPooling:
    torch.manual_seed(0)
    return AttentionPooling(6, 3)


def features() -> Tensor:
    return torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(1))


def shift(convolutions: nn.ModuleList, bias: float) -> None:
    for convolution in convolutions:
        nn.init.constant_(convolution.bias, bias)


@torch.no_grad()
def test_is_the_formula_of_the_docstring(head: AttentionPooling) -> None:
    heard = features().double()
    head.double()
    nn.init.normal_(head.head_weight, 0.25, 0.02)
    expected = torch.zeros(2, 3, dtype=torch.float64)
    for weight, att, cla in zip(head.head_weight, head.att, head.cla, strict=True):
        for clip in range(2):
            for label in range(3):
                a = [
                    1 / (1 + math.exp(-float(att.weight[label, :, 0, 0] @ step + att.bias[label])))
                    for step in heard[clip].T
                ]
                c = [
                    1 / (1 + math.exp(-float(cla.weight[label, :, 0, 0] @ step + cla.bias[label])))
                    for step in heard[clip].T
                ]
                mean = sum(x * y for x, y in zip(a, c, strict=True)) / sum(a)
                expected[clip, label] += weight * mean
    torch.testing.assert_close(head.probabilities(heard).double(), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(torch.sigmoid(head(heard)).double(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("weight", "cla_bias", "logit"),
    [(0.5, 20.0, 15.9424), (0.25, 20.0, 15.9424), (0.25, -40.0, -16.1181), (-0.25, 0.0, -16.1181)],
)
def test_beyond_the_clamps_logits_and_gradients_are_finite(
    head: AttentionPooling, weight: float, cla_bias: float, logit: float
) -> None:
    nn.init.constant_(head.head_weight, weight)
    shift(head.cla, cla_bias)
    logits = head(features())
    torch.testing.assert_close(logits, torch.full((2, 3), logit), rtol=0, atol=1e-3)
    F.binary_cross_entropy_with_logits(logits, torch.eye(2, 3)).backward()
    assert all(gradient_of(parameter).isfinite().all() for parameter in head.parameters())


@pytest.mark.parametrize("cla_bias", [-15.0, 0.0, 7.0])
def test_within_the_clamps_gradients_are_those_of_the_probabilities(
    head: AttentionPooling, cla_bias: float
) -> None:
    shift(head.cla, cla_bias)
    targets = torch.eye(2, 3)
    F.binary_cross_entropy_with_logits(head(features()), targets).backward()
    by_logits = [gradient_of(parameter).clone() for parameter in head.parameters()]
    head.zero_grad()
    F.binary_cross_entropy(head.probabilities(features()), targets).backward()
    for ours, published in zip(by_logits, map(gradient_of, head.parameters()), strict=True):
        assert ours.isfinite().all()
        assert ours.abs().max() > 0
        torch.testing.assert_close(ours, published, rtol=1e-2, atol=1e-7)


@pytest.mark.parametrize("att_bias", [-200.0, 200.0])
def test_saturated_attention_is_a_plain_mean_over_time(
    head: AttentionPooling, att_bias: float
) -> None:
    shift(head.att, att_bias)
    probabilities = head.probabilities(features())
    means = [torch.sigmoid(cla(features().unsqueeze(3))).mean(dim=(2, 3)) for cla in head.cla]
    torch.testing.assert_close(probabilities, torch.stack(means).mean(dim=0))
    probabilities.sum().backward()
    assert all(gradient_of(parameter).isfinite().all() for parameter in head.parameters())


def gradient_of(parameter: nn.Parameter) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad
