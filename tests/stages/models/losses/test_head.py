"""The rule `head`: the head's own distribution over labels follows that of the texts."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from stages.models.losses.alignment import (
    align_head,
    spreading_temperature,
    text_distributions,
)

TARGETS = torch.tensor([[1.0, 0, 1, 0, 0], [0, 0, 0, 0, 1], [0, 0.3, 0, 0.7, 0.7]]).double()
seeds = st.integers(0, 2**32 - 1)


def drawn(rows: int, columns: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, columns, generator=generator, dtype=torch.float64)


def unit_texts(labels: int, seed: int = 1) -> Tensor:
    return functional.normalize(drawn(labels, 8, seed), dim=1)


def by_hand(logits: Tensor, targets: Tensor, texts: Tensor, temperature: float) -> float:
    """KL divergence clip by clip and label by label, in Python's own numbers."""
    labels = len(texts)
    total = 0.0
    for clip, row in zip(logits.tolist(), targets.tolist(), strict=True):
        wanted = [0.0] * labels
        for own, share in enumerate(row):
            near = [math.exp(float(texts[own] @ texts[c]) / temperature) for c in range(labels)]
            for c in range(labels):
                wanted[c] += share / sum(row) * near[c] / sum(near)
        spread = sum(map(math.exp, clip))
        total += sum(
            q * (math.log(q) - x + math.log(spread)) for q, x in zip(wanted, clip, strict=True)
        )
    return total / len(targets)


@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
def test_it_is_the_divergence_from_what_the_texts_say(temperature: float) -> None:
    logits, texts = drawn(3, 5, 0), unit_texts(5)
    found = align_head(logits, TARGETS, texts, temperature).item()
    assert found == pytest.approx(by_hand(logits, TARGETS, texts, temperature), rel=1e-12)


@given(seed=seeds)
def test_it_is_nought_at_the_texts_own_distribution_and_above_elsewhere(seed: int) -> None:
    texts = unit_texts(5, seed)
    perfect = text_distributions(TARGETS, texts, 0.1).log()
    assert align_head(perfect + 7, TARGETS, texts, 0.1).item() == pytest.approx(0, abs=1e-12)
    assert align_head(perfect + drawn(3, 5, seed), TARGETS, texts, 0.1) > 0


@given(seed=seeds)
def test_the_order_of_the_labels_does_not_matter(seed: int) -> None:
    logits, texts = drawn(3, 5, seed), unit_texts(5)
    order = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    found = align_head(logits[:, order], TARGETS[:, order], texts[order], 0.1)
    torch.testing.assert_close(found, align_head(logits, TARGETS, texts, 0.1))


def test_clips_without_labels_take_no_part() -> None:
    logits, texts = drawn(4, 5, 0), unit_texts(5)
    padded = torch.cat([TARGETS, torch.zeros(1, 5)])
    torch.testing.assert_close(
        align_head(logits, padded, texts, 0.1), align_head(logits[:3], TARGETS, texts, 0.1)
    )
    assert align_head(logits, torch.zeros(4, 5), texts, 0.1) == 0


def test_a_near_label_is_raised_and_a_far_one_lowered() -> None:
    """Label 1's text is next to label 0's, label 2's opposite: equal logits are pulled apart so."""
    texts = functional.normalize(torch.tensor([[1.0, 0.0], [0.9, 0.1], [-1.0, 0.0]]), dim=1)
    logits = torch.zeros(1, 3, requires_grad=True)
    align_head(logits, torch.tensor([[1.0, 0, 0]]), texts, 0.1).backward()
    assert logits.grad is not None
    toward = -logits.grad[0]
    assert toward[0] > toward[1] > 0 > toward[2]


def test_gradients_are_the_numerical_ones() -> None:
    logits, texts = drawn(3, 5, 0).requires_grad_(), unit_texts(5)
    assert torch.autograd.gradcheck(lambda x: align_head(x, TARGETS, texts, 0.1), (logits,))


def test_low_precision_is_computed_in_float32() -> None:
    logits, texts = drawn(3, 5, 0).bfloat16(), unit_texts(5).float()
    found = align_head(logits, TARGETS.float(), texts, 0.1)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(by_hand(logits.double(), TARGETS, texts, 0.1), rel=1e-5)


@given(seed=seeds, labels=st.integers(3, 40), share=st.floats(0.4, 0.95))
def test_the_temperature_spreads_as_asked(seed: int, labels: int, share: float) -> None:
    texts = unit_texts(labels, seed)
    temperature = spreading_temperature(texts, share)
    kept = text_distributions(torch.eye(labels).double(), texts, temperature).diagonal().mean()
    if temperature < 9.9:
        assert kept.item() == pytest.approx(share, abs=1e-6)
    else:
        assert kept > share, "as far as it may be spread"


@pytest.mark.parametrize(("texts", "bound"), [(torch.eye(2, 8), 10), (torch.ones(4, 1), 1e-3)])
def test_where_no_temperature_spreads_so(texts: Tensor, bound: float) -> None:
    """Of two labels each keeps at least half; of equal texts none keeps more than its part."""
    assert spreading_temperature(texts) == pytest.approx(bound, rel=1e-3)
