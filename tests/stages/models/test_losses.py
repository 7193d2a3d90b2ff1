"""The losses against plain formulas."""

import math

import pytest
import torch
from torch.nn import functional

from stages.models.losses import alignment_loss, centred, classification_loss, combined_loss


@pytest.fixture
def texts() -> torch.Tensor:
    return functional.normalize(
        torch.randn(5, 8, generator=torch.Generator().manual_seed(1)), dim=1
    )


def test_classification_is_binary_cross_entropy() -> None:
    logits = torch.tensor([[0.0, 2.0], [-1.0, 3.0]])
    targets = torch.tensor([[1.0, 0.0], [0.25, 1.0]])
    cells = [
        -(y * math.log(1 / (1 + math.exp(-x))) + (1 - y) * math.log(1 - 1 / (1 + math.exp(-x))))
        for x, y in zip(logits.ravel().tolist(), targets.ravel().tolist(), strict=True)
    ]
    assert classification_loss(logits, targets).item() == pytest.approx(sum(cells) / 4, rel=1e-6)


def test_alignment_is_one_minus_the_cosine_to_the_mean_text(texts: torch.Tensor) -> None:
    targets = torch.tensor([[1.0, 0, 1, 0, 0], [0, 0, 0, 0, 1]])
    projected = torch.randn(2, 8, generator=torch.Generator().manual_seed(2))
    expected = 0.0
    for row, labels in enumerate(([0, 2], [4])):
        mean = sum(texts[label] for label in labels) / len(labels)
        expected += 1 - float(projected[row] @ mean / (projected[row].norm() * mean.norm()))
    assert alignment_loss(projected, targets, texts).item() == pytest.approx(expected / 2, rel=1e-5)


def test_alignment_reaches_nought_at_the_text_and_two_opposite(texts: torch.Tensor) -> None:
    targets = torch.eye(5)
    assert alignment_loss(3 * texts, targets, texts).item() == pytest.approx(0, abs=1e-6)
    assert alignment_loss(-texts, targets, texts).item() == pytest.approx(2, abs=1e-6)


def test_mixed_targets_mix_the_texts(texts: torch.Tensor) -> None:
    targets = torch.tensor([[0.7, 0.3, 0, 0, 0]])
    mixed = 0.7 * texts[:1] + 0.3 * texts[1:2]
    assert alignment_loss(mixed, targets, texts).item() == pytest.approx(0, abs=1e-6)


def test_a_clip_without_labels_takes_no_part(texts: torch.Tensor) -> None:
    projected = torch.randn(2, 8, generator=torch.Generator().manual_seed(3), requires_grad=True)
    targets = torch.tensor([[1.0, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    loss = alignment_loss(projected, targets, texts)
    assert loss.item() == pytest.approx(alignment_loss(projected[:1], targets[:1], texts).item())
    loss.backward()  # type: ignore[no-untyped-call]
    assert projected.grad is not None
    assert torch.equal(projected.grad[1], torch.zeros(8))
    nobody = alignment_loss(projected, torch.zeros(2, 5), texts)
    assert nobody.item() == 0


def test_gradient_of_alignment_is_the_analytic_one(texts: torch.Tensor) -> None:
    projected = torch.randn(3, 8, dtype=torch.float64, requires_grad=True)
    targets = torch.rand(3, 5, dtype=torch.float64)
    # The loss computes in float32 on purpose (bfloat16 under autocast is too coarse), so compare
    # with the analytic gradient: d(1 - cos)/dz = -(t/|t| - cos z/|z|) / |z|.
    loss = alignment_loss(projected, targets, texts.double())
    loss.backward()  # type: ignore[no-untyped-call]
    text = functional.normalize(targets @ texts.double(), dim=1)
    length = projected.detach().norm(dim=1, keepdim=True)
    unit = projected.detach() / length
    cosine = (unit * text).sum(1, keepdim=True)
    expected = -(text - cosine * unit) / length / 3
    assert projected.grad is not None
    torch.testing.assert_close(projected.grad, expected, atol=1e-6, rtol=1e-5)


def test_centred_texts_have_unit_length_and_less_in_common(texts: torch.Tensor) -> None:
    crowded = functional.normalize(texts + 3 * texts[:1], dim=1)
    spread = centred(crowded)
    torch.testing.assert_close(spread.norm(dim=1), torch.ones(5))
    assert (spread @ spread.T).mean() < (crowded @ crowded.T).mean() / 2


@pytest.mark.parametrize("labels", [10, 527])
def test_the_alignment_is_charged_once_for_every_label_that_a_clip_has(labels: int) -> None:
    targets = torch.zeros(4, labels)
    targets[0, :2] = targets[1, 3] = targets[2, 5] = 1  # 4 labels in 4 clips
    found = combined_loss(torch.tensor(0.2), torch.tensor(0.8), targets, 0.5)
    assert found.item() == pytest.approx(0.2 + 0.5 * 4 / (4 * labels) * 0.8)


def test_weight_nought_is_the_classification_loss_itself() -> None:
    classification = torch.tensor(0.2)
    assert combined_loss(classification, torch.tensor(0.8), torch.ones(2, 2), 0) is classification
