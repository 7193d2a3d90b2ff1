"""Mixed precision: what it computes in, clipping, and gradients that overflow."""

import pytest
import torch
from torch import nn

from stages.train.precision import Precision

CPU = torch.device("cpu")


def moved_by(precision: Precision, gradient: list[float], largest_norm: float) -> torch.Tensor:
    """How a weight moves in a step of gradient descent at rate 1, the gradient in two equal parts."""
    weight = nn.Parameter(torch.zeros(len(gradient)))
    optimiser = torch.optim.SGD([weight], lr=1.0)
    for _ in range(2):
        precision.backward((weight * torch.tensor(gradient)).sum() / 2)
    precision.step(optimiser, largest_norm)
    return -weight.detach()


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
def test_gradients_add_up_and_are_clipped_in_their_true_size(name: str) -> None:
    precision = Precision(name, CPU)  # type: ignore[arg-type]  # mypy takes it for any str
    assert moved_by(precision, [3.0, 4.0], 10.0).tolist() == pytest.approx([3.0, 4.0])
    assert moved_by(precision, [3.0, 4.0], 2.5).tolist() == pytest.approx([1.5, 2.0])


def test_auto_is_float32_on_the_cpu_and_bfloat16_on_cuda() -> None:
    assert Precision("auto", CPU).dtype == torch.float32
    assert Precision("auto", torch.device("cuda")).dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("float32", torch.float32), ("bfloat16", torch.bfloat16), ("float16", torch.float16)],
)
def test_matrix_products_are_computed_in_it_and_weights_stay(name: str, dtype: torch.dtype) -> None:
    layer = nn.Linear(4, 4)
    precision = Precision(name, CPU)  # type: ignore[arg-type]  # mypy takes it for any str
    with precision.autocast():
        assert layer(torch.ones(1, 4)).dtype == dtype
    assert layer(torch.ones(1, 4)).dtype == layer.weight.dtype == torch.float32


def test_float16_that_overflows_moves_nothing_and_halves_the_scale() -> None:
    precision = Precision("float16", CPU)
    scale = precision.state_dict()["scale"]
    assert moved_by(precision, [float("inf"), 1.0], 5.0).tolist() == [0.0, 0.0]
    assert precision.state_dict()["scale"] == scale / 2
    assert moved_by(precision, [1.0, 1.0], 5.0).tolist() == [1.0, 1.0]


def test_the_fused_adamw_leaves_a_step_out_as_well() -> None:
    weight = nn.Parameter(torch.ones(2))
    optimiser = torch.optim.AdamW([weight], lr=0.1, fused=True)
    precision = Precision("float16", CPU)
    for factor in (1.0, float("inf"), 1.0):
        before = weight.detach().clone()
        optimiser.zero_grad()
        precision.backward((weight * factor).sum())
        precision.step(optimiser, 5.0)
        assert torch.equal(weight, before) == (factor == float("inf"))
        assert weight.isfinite().all()


def test_the_scale_is_kept_for_later_and_there_is_none_without_float16() -> None:
    first, later = Precision("float16", CPU), Precision("float16", CPU)
    moved_by(first, [float("nan")], 5.0)
    later.load_state_dict(first.state_dict())
    assert later.state_dict() == first.state_dict() != Precision("float16", CPU).state_dict()
    plain = Precision("bfloat16", CPU)
    assert plain.state_dict() == {}
    plain.load_state_dict({})
