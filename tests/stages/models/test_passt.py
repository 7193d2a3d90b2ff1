"""PaSST: patchout, positions of shorter clips, and training."""

import pytest
import torch
from torch import Tensor, nn

from stages.errors import UsageError
from stages.models.encoders.passt import Passt, leave_out


@pytest.fixture(scope="module")
def whole() -> Passt:
    """Without patchout."""
    torch.manual_seed(0)
    return Passt()


@pytest.fixture(scope="module")
def passt() -> Passt:
    """With the patchout of the paper's AudioSet model."""
    torch.manual_seed(0)
    encoder = Passt()
    encoder.set_patchout(time=40, mel=4, clip_seconds=10.0)
    return encoder


def tokens_of(passt: Passt, log_mel: Tensor) -> int:
    """Tokens that the first block is given."""
    seen = []
    hook = passt.blocks.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[1]))
    with torch.no_grad():
        passt(log_mel)
    hook.remove()
    return seen[0]


def test_patchout_of_ten_seconds_leaves_out_the_papers_40_and_4(passt: Passt) -> None:
    assert tokens_of(passt.train(), torch.zeros(1, 1000, 128)) == 2 + (99 - 40) * (12 - 4)


def test_nothing_is_left_out_unless_asked_for_nor_after_training(
    whole: Passt, passt: Passt
) -> None:
    second = torch.zeros(1, 100, 128)
    assert tokens_of(whole.train(), second) == 2 + 9 * 12
    assert tokens_of(passt.eval(), second) == 2 + 9 * 12


def test_patches_that_stay_are_in_order_and_chosen_by_the_seed() -> None:
    patches = torch.arange(20.0).expand(1, 2, 3, 20)
    chosen = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        kept = leave_out(patches, 3, 8)
        assert kept.shape == (1, 2, 3, 12)
        assert torch.equal(kept, kept[:, :1, :1].expand_as(kept))
        assert (kept.diff() > 0).all()
        chosen.append(kept)
    assert torch.equal(chosen[0], chosen[1])
    assert not torch.equal(chosen[0], chosen[2])


def test_one_patch_always_stays() -> None:
    assert leave_out(torch.zeros(1, 2, 3, 1), 3, 5).shape == (1, 2, 3, 1)


@pytest.mark.parametrize(
    ("time", "mel", "seconds", "said"),
    [
        (9, 0, 1.0, "--patchout-time 9 leaves nothing: there are 9 columns of patches in 1 s"),
        (40, 4, 2.0, "--patchout-time 40 leaves nothing: there are 19 columns"),
        (0, 12, 10.0, "--patchout-mel 12 leaves nothing: there are 12 rows"),
    ],
)
def test_patchout_of_everything_is_refused(time: int, mel: int, seconds: float, said: str) -> None:
    with torch.device("meta"):
        encoder = Passt()
    with pytest.raises(UsageError, match=said):
        encoder.set_patchout(time, mel, seconds)


def test_a_short_clip_in_training_takes_any_run_of_time_positions(whole: Passt) -> None:
    firsts = set()
    for _ in range(3):
        used = whole.train()(torch.randn(1, 26, 128))[0, 0]
        (gradient,) = torch.autograd.grad(used, whole.time_new_pos_embed)
        steps = gradient.abs().sum(dim=(0, 1, 2)).nonzero().ravel().tolist()
        assert steps == [steps[0], steps[0] + 1]
        firsts.add(steps[0])
    assert len(firsts) > 1


def test_every_parameter_learns_from_one_second(whole: Passt) -> None:
    head = whole.make_head(3)
    logits = head(whole.train()(torch.randn(2, 100, 128)))
    assert logits.shape == (2, 3)
    nn.functional.binary_cross_entropy_with_logits(logits, torch.eye(2, 3)).backward()
    for name, parameter in [*whole.named_parameters(), *head.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    whole.zero_grad(set_to_none=True)


@torch.no_grad()
def test_bfloat16_gives_nearly_the_same(whole: Passt) -> None:
    log_mel = torch.randn(1, 100, 128)
    exact = whole.eval()(log_mel)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = whole(log_mel)
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, rtol=0, atol=0.1)


@pytest.mark.parametrize(("frames", "said"), [(15, "15 frames"), (1006, "the clip has 100")])
def test_clips_that_do_not_fit_are_refused(whole: Passt, frames: int, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        whole(torch.zeros(1, frames, 128))
