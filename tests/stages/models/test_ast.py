"""AST: clips of other lengths than the published one, and training."""

import pytest
import torch
from torch import nn

from stages.errors import UsageError
from stages.models.encoders.ast import Ast


@pytest.fixture(scope="module")
def ast() -> Ast:
    torch.manual_seed(0)
    return Ast()


@pytest.mark.parametrize(
    ("seconds", "frames"), [(0.1, 128), (1, 128), (2, 256), (5, 512), (10, 1024), (20, 2048)]
)
def test_frames_go_to_the_next_multiple_of_128(seconds: float, frames: int) -> None:
    front_end = Ast.front_end_for(seconds)
    assert front_end.frames == frames
    assert front_end.model_copy(update={"frames": 1024}) == Ast.front_end


@torch.no_grad()
def test_positions_of_ten_seconds_are_those_of_the_checkpoint(ast: Ast) -> None:
    whole = ast.v.patch_positions(101)
    assert torch.equal(whole.flatten(2).mT, ast.v.pos_embed[:, 2:])


@pytest.mark.parametrize(("steps", "first"), [(12, 44), (50, 25), (99, 1), (100, 0), (1, 50)])
@torch.no_grad()
def test_fewer_positions_are_the_middle_ones(ast: Ast, steps: int, first: int) -> None:
    whole = ast.v.patch_positions(101)
    assert torch.equal(ast.v.patch_positions(steps), whole[..., first : first + steps])


@torch.no_grad()
def test_more_positions_lie_between_the_published_ones(ast: Ast) -> None:
    whole, longer = ast.v.patch_positions(101), ast.v.patch_positions(202)
    assert longer.shape == (1, 768, 12, 202)
    expected = 0.75 * whole[..., 0] + 0.25 * whole[..., 1]
    torch.testing.assert_close(longer[..., 1], expected)
    torch.testing.assert_close(longer[..., -1], whole[..., -1])


def test_every_parameter_learns_from_one_second(ast: Ast) -> None:
    head = ast.make_head(3)
    logits = head(ast.train()(torch.randn(2, 128, 128)))
    assert logits.shape == (2, 3)
    nn.functional.binary_cross_entropy_with_logits(logits, torch.eye(2, 3)).backward()
    for name, parameter in [*ast.named_parameters(), *head.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    ast.zero_grad(set_to_none=True)


@torch.no_grad()
def test_bfloat16_gives_nearly_the_same(ast: Ast) -> None:
    log_mel = torch.randn(1, 128, 128)
    exact = ast.eval()(log_mel)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = ast(log_mel)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, rtol=0, atol=0.1)


def test_a_spectrogram_shorter_than_a_patch_is_refused(ast: Ast) -> None:
    with pytest.raises(UsageError, match="15 frames"):
        ast(torch.zeros(1, 15, 128))
