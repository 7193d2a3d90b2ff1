"""EfficientNet-B2 as a network to train; what it computes is in tests/golden."""

import pytest
import torch
from torch import nn

from stages.audio.log_mel import LogMel
from stages.models.encoders.efficientnet_b2 import B2_STAGES, Block, EfficientNetB2


@pytest.fixture
def encoder() -> EfficientNetB2:
    torch.manual_seed(0)
    return EfficientNetB2()


def test_every_parameter_learns(encoder: EfficientNetB2) -> None:
    head = encoder.train().make_head(3)
    logits = head(encoder(torch.randn(4, 128, 128)))
    assert logits.shape == (4, 3)
    nn.functional.binary_cross_entropy_with_logits(logits, torch.eye(4, 3)).backward()
    for name, parameter in [*encoder.named_parameters(), *head.named_parameters()]:
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize(
    ("seconds", "frames"), [(0.1, 32), (1.0, 128), (2.0, 224), (5.0, 544), (30.0, 3168)]
)
@torch.no_grad()
def test_clips_of_other_lengths(encoder: EfficientNetB2, seconds: float, frames: int) -> None:
    log_mel = LogMel(encoder.front_end_for(seconds))(torch.randn(1, round(16000 * seconds)))
    features = encoder.eval()(log_mel)
    assert features.shape == (1, 1408, frames // 32)
    assert encoder.embedding(features).shape == (1, encoder.embedding_dimensions)
    assert torch.isfinite(encoder.make_head(5)(features)).all()


def test_ten_seconds_are_heard_as_published(encoder: EfficientNetB2) -> None:
    assert encoder.front_end_for(10.0) == encoder.front_end
    assert encoder.front_end.frames == 1056


@torch.no_grad()
def test_any_number_of_frames_will_do(encoder: EfficientNetB2) -> None:
    encoder.eval()
    assert [encoder(torch.zeros(1, frames, 128)).shape[2] for frames in (1, 32, 33)] == [1, 1, 2]


def test_half_precision_by_autocast(encoder: EfficientNetB2) -> None:
    head = encoder.train().make_head(3)
    with torch.autocast("cpu", torch.bfloat16):
        features = encoder(torch.randn(2, 128, 128))
        logits = head(features)
    assert features.dtype == torch.bfloat16
    assert logits.dtype == torch.float32
    logits.sum().backward()
    gradients = [parameter.grad for parameter in [*encoder.parameters(), *head.parameters()]]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


@torch.no_grad()
def test_a_clip_skips_a_branch_or_has_it_scaled_up() -> None:
    """Batch norm gives every clip the same branch: it is constant over the clips."""
    torch.manual_seed(0)
    block = Block(B2_STAGES[1], first=False, dropped_share=0.25).train()
    nn.init.ones_(block._bn2.bias)
    nn.init.zeros_(block._bn2.weight)
    branch = block(torch.zeros(64, 24, 4, 4))
    skipped = (branch == 0).flatten(1).all(dim=1)
    assert 0.1 < skipped.float().mean() < 0.4
    torch.testing.assert_close(branch[~skipped], torch.full_like(branch[~skipped], 1 / 0.75))
    torch.testing.assert_close(block.eval()(torch.zeros(2, 24, 4, 4)), torch.ones(2, 24, 4, 4))


def test_the_branches_dropped_rise_with_depth(encoder: EfficientNetB2) -> None:
    shares = [block.dropped_share for block in encoder.effnet._blocks]
    torch.testing.assert_close(shares, [0.2 * number / 23 for number in range(23)])
