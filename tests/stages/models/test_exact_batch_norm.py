"""Exact batch norms against torch's in float64, on one process whose batch is whole."""

import copy

import pytest
import torch
from torch import Tensor, nn

from stages.models.exact_batch_norm import with_exact_norms
from stages.models.tagger import Tagger


def itself(own: Tensor) -> Tensor:
    return own


def values(*shape: int) -> Tensor:
    """Far from 0, as a log-mel spectrogram is."""
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape)))
    return (drawn * 10 - 50).requires_grad_()


@pytest.mark.parametrize(
    ("norm", "shape"),
    [
        (nn.BatchNorm1d(5), (7, 5)),
        (nn.BatchNorm1d(5, eps=1e-3), (4, 5, 3)),
        (nn.BatchNorm2d(5, momentum=0.01), (3, 5, 8, 2)),
    ],
)
def test_outputs_gradients_and_statistics(norm: nn.Module, shape: tuple[int, ...]) -> None:
    nn.init.uniform_(norm.get_parameter("weight"), 0.5, 2)
    theirs = copy.deepcopy(norm).double()
    (ours,) = with_exact_norms(nn.Sequential(norm), itself)
    x = values(*shape)
    x_theirs = x.detach().double().requires_grad_()
    pull = torch.randn(shape, generator=torch.Generator().manual_seed(9))
    for _ in range(2):
        y, y_theirs = ours(x), theirs(x_theirs)
        (y * pull).sum().backward()
        (y_theirs * pull).sum().backward()
        torch.testing.assert_close(y.double(), y_theirs, rtol=1e-5, atol=2e-5)
    assert x.grad is not None
    torch.testing.assert_close(x.grad.double(), x_theirs.grad, rtol=1e-4, atol=2e-6)
    for name, parameter in theirs.named_parameters():
        found = ours.get_parameter(name).grad
        assert found is not None
        torch.testing.assert_close(found.double(), parameter.grad, rtol=1e-5, atol=2e-5)
    for name, expected in theirs.named_buffers():
        buffer = ours.get_buffer(name).to(expected)
        torch.testing.assert_close(buffer, expected, rtol=1e-6, atol=1e-6)
    ours.eval()
    theirs.eval()
    torch.testing.assert_close(ours(x).double(), theirs(x_theirs), rtol=1e-5, atol=1e-4)


def test_the_gradient_by_finite_differences() -> None:
    x = torch.randn(4, 3, 5, dtype=torch.float64, requires_grad=True)
    (norm,) = with_exact_norms(nn.Sequential(nn.BatchNorm1d(3).double()), itself)
    # The sums are float32, so the steps are large and the demands small.
    assert torch.autograd.gradcheck(norm, x, eps=1e-2, atol=1e-3, rtol=1e-2, nondet_tol=1e-5)


def test_names_and_tensors_stay() -> None:
    tagger = Tagger("small", 3, 8)
    before = {name: tensor.data_ptr() for name, tensor in tagger.state_dict().items()}
    with_exact_norms(tagger, itself)
    after = {name: tensor.data_ptr() for name, tensor in tagger.state_dict().items()}
    assert after == before
    assert not [module for module in tagger.modules() if isinstance(module, nn.BatchNorm2d)]
    assert copy.deepcopy(tagger).state_dict().keys() == before.keys()


def test_it_does_not_matter_how_clips_are_laid_out() -> None:
    """Bit for bit: of the first clips alone, the same sums come out as of all together."""
    x = values(6, 4, 10, 3).detach()
    (norm,) = with_exact_norms(nn.Sequential(nn.BatchNorm2d(4)), itself)
    whole = norm(x)
    halves: list[Tensor] = []

    def keep(own: Tensor) -> Tensor:
        halves.append(own)
        return own

    with_exact_norms(nn.Sequential(nn.BatchNorm2d(4)), keep)(x[:4])
    with_exact_norms(nn.Sequential(nn.BatchNorm2d(4)), keep)(x[4:])
    total = halves[0] + halves[1]
    (together,) = with_exact_norms(nn.Sequential(nn.BatchNorm2d(4)), lambda _: total)
    assert torch.equal(torch.cat([together(x[:4]), together(x[4:])]), whole)


def test_a_norm_without_parameters_is_refused() -> None:
    with pytest.raises(ValueError, match="no parameters"):
        with_exact_norms(nn.Sequential(nn.BatchNorm1d(3, affine=False)), itself)
