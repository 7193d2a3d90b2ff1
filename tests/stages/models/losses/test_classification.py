"""Binary cross-entropy against its plain formula, by its gradient, and in low precision."""

import math

import pytest
import torch
from torch.nn import functional

from stages.models.losses.classification import cross_entropy_cells


def test_a_cell_is_its_plain_formula() -> None:
    logits = torch.tensor([[0.0, 2.0], [-1.0, 3.0]])
    targets = torch.tensor([[1.0, 0.0], [0.25, 1.0]])
    cells = cross_entropy_cells(logits, targets).ravel().tolist()
    for x, y, cell in zip(logits.ravel().tolist(), targets.ravel().tolist(), cells, strict=True):
        s = 1 / (1 + math.exp(-x))
        assert cell == pytest.approx(-(y * math.log(s) + (1 - y) * math.log(1 - s)), rel=1e-6)


def test_the_mean_of_the_cells_is_torchs_loss_bit_for_bit() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = 5 * torch.randn(32, 61, generator=generator)
    targets = torch.rand(32, 61, generator=generator)
    expected = functional.binary_cross_entropy_with_logits(logits, targets)
    assert torch.equal(cross_entropy_cells(logits, targets).mean(), expected)


def test_the_loss_of_a_mixture_is_the_mixture_of_losses() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(4, 5, generator=generator)
    first, second = (torch.rand(4, 5, generator=generator).round() for _ in range(2))
    mixed = cross_entropy_cells(logits, 0.7 * first + 0.3 * second)
    parts = 0.7 * cross_entropy_cells(logits, first) + 0.3 * cross_entropy_cells(logits, second)
    torch.testing.assert_close(mixed, parts)


def test_the_gradient_is_the_numerical_one() -> None:
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.rand(3, 4, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: cross_entropy_cells(x, targets), (logits,))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_far_logits_stay_finite_in_every_precision(dtype: torch.dtype) -> None:
    logits = torch.tensor([[-1000.0, 1000.0], [-1000.0, 1000.0]], dtype=dtype)
    cells = cross_entropy_cells(logits, torch.eye(2))
    assert cells.dtype == torch.promote_types(dtype, torch.float32)
    torch.testing.assert_close(
        cells.float(), torch.tensor([[1000.0, 1000], [0, 0]]), rtol=1e-2, atol=0
    )
