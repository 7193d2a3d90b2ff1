"""Weights of rare labels: 1 on average, known ratios, and what they do to the loss."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stages.models.losses.balance import balanced_cells, positive_weights
from stages.models.losses.classification import cross_entropy_cells

counts_of_200 = st.lists(st.integers(0, 200), min_size=1, max_size=12)


def balanced(
    logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, wanted: torch.Tensor
) -> torch.Tensor:
    return balanced_cells(cross_entropy_cells(logits, wanted), logits, targets, weights)


def training_targets(counts: list[int], clips: int) -> torch.Tensor:
    return (torch.arange(clips)[:, None] < torch.tensor(counts)).float()


@given(counts_of_200, st.floats(0, 1))
def test_the_loss_of_a_model_that_knows_nothing_is_the_same_for_every_power(
    counts: list[int], power: float
) -> None:
    targets = training_targets(counts, 200)
    weights = positive_weights(torch.tensor(counts), 200, power)
    cells = balanced(torch.zeros_like(targets), targets, weights, targets)
    assert cells.mean().item() == pytest.approx(math.log(2), rel=1e-5)


@given(counts_of_200)
def test_power_nought_weighs_every_cell_alike(counts: list[int]) -> None:
    assert torch.equal(positive_weights(torch.tensor(counts), 200, 0), torch.ones(2, len(counts)))


def test_the_weights_are_the_ratios_to_the_power() -> None:
    without, present = positive_weights(torch.tensor([100, 40, 20, 0]), 200, 0.5)
    torch.testing.assert_close(present / without, torch.tensor([1.0, 2.0, 3.0, 1.0]))


def test_at_power_one_a_labels_clips_weigh_what_the_others_do() -> None:
    counts = torch.tensor([3, 50, 180])
    without, present = positive_weights(counts, 200, 1)
    torch.testing.assert_close(counts * present, (200 - counts) * without)


def test_no_clip_weighs_more_than_a_hundred_others() -> None:
    counts = torch.tensor([1, 1_000_000, 999_999, 0])
    without, present = positive_weights(counts, 1_000_000, 1)
    torch.testing.assert_close(present / without, torch.tensor([100.0, 0.01, 0.01, 1.0]))


def test_a_balanced_cell_is_torchs_with_pos_weight() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(6, 4, generator=generator)
    targets = torch.rand(6, 4, generator=generator)
    weights = positive_weights(torch.tensor([5, 50, 100, 150]), 200, 0.7)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, targets, weight=weights[0], pos_weight=weights[1] / weights[0], reduction="none"
    )
    torch.testing.assert_close(balanced(logits, targets, weights, targets), expected)


def test_what_smoothing_adds_to_a_label_that_is_not_there_is_not_weighed_up() -> None:
    """The best logit for a cell that is smoothed to 0.1 is that of 0.1, however rare the label."""
    weights = positive_weights(torch.tensor([2]), 200, 1)
    logits = torch.full((1, 1), math.log(0.1 / 0.9), requires_grad=True)
    loss = balanced(logits, torch.zeros(1, 1), weights, torch.full((1, 1), 0.1)).sum()
    (gradient,) = torch.autograd.grad(loss, logits)
    assert gradient.item() == pytest.approx(0, abs=1e-7)


def test_the_gradient_is_the_numerical_one() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.rand(3, 4, generator=generator, dtype=torch.float64)
    weights = positive_weights(torch.tensor([5, 50, 100, 0]), 200, 1)
    wanted = targets.clamp(min=0.2)
    assert torch.autograd.gradcheck(lambda x: balanced(x, targets, weights, wanted), (logits,))


def test_low_precision_is_raised() -> None:
    weights = positive_weights(torch.tensor([1, 1]), 200, 1)
    logits = torch.zeros(2, 2, dtype=torch.bfloat16)
    assert balanced(logits, torch.eye(2), weights, torch.eye(2)).dtype == torch.float32
