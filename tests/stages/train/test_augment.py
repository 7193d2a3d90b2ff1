"""Mixup and SpecAugment: what they keep, what they change, and that chance comes from the generator."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stages.train.augment import mixup, spec_augment


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(batch=st.integers(2, 8), seed=st.integers(0, 100), alpha=st.floats(0.05, 5))
def test_mixup_is_one_convex_combination_of_waveform_and_targets(
    batch: int, seed: int, alpha: float
) -> None:
    identity = torch.eye(batch)
    waveform, targets = mixup(identity, identity.clone(), alpha, generator(seed))
    assert torch.equal(waveform, targets)
    torch.testing.assert_close(waveform.sum(dim=1), torch.ones(batch))
    assert (waveform >= 0).all()
    assert (waveform.diagonal() >= 0.5 - 1e-6).all()
    assert ((waveform > 0).sum(dim=1) <= 2).all()


@pytest.mark.parametrize(("alpha", "batch"), [(0.0, 4), (1.0, 1)])
def test_mixup_leaves_alone(alpha: float, batch: int) -> None:
    waveform, targets = torch.rand(batch, 10), torch.rand(batch, 3)
    mixed = mixup(waveform, targets, alpha, generator())
    assert torch.equal(mixed[0], waveform)
    assert torch.equal(mixed[1], targets)


def test_mixup_draws_from_beta() -> None:
    """Beta(a, a) folded to its larger half; a = 1 is uniform, so the mean share is 3/4."""
    share = mixup(torch.eye(4000), torch.eye(4000), 1.0, generator())[0].diagonal()
    others = share[share < 1]
    assert others.mean().item() == pytest.approx(0.75, abs=0.01)


@given(
    frames=st.integers(4, 60), bands=st.integers(4, 40), time=st.floats(0, 0.5), mel=st.floats(0, 0.5),
    seed=st.integers(0, 50),
)  # fmt: skip
def test_spec_augment_hides_no_more_than_two_stretches_each_way(
    frames: int, bands: int, time: float, mel: float, seed: int
) -> None:
    log_mel = torch.randn(3, frames, bands, generator=generator(seed + 1))
    found = spec_augment(log_mel, time, mel, generator(seed))
    changed = found != log_mel
    mean = log_mel.mean(dim=(1, 2), keepdim=True).expand_as(found)
    assert torch.equal(found[changed], mean[changed])
    for clip in changed:
        assert clip.all(dim=1).sum() <= 2 * (time * frames + 1)
        assert clip.all(dim=0).sum() <= 2 * (mel * bands + 1)
        rest = clip[~clip.all(dim=1)][:, ~clip.all(dim=0)]
        assert not rest.any()


def test_nothing_is_hidden_at_nought_and_chance_is_the_generators() -> None:
    log_mel = torch.randn(2, 50, 64)
    assert torch.equal(spec_augment(log_mel, 0, 0, generator()), log_mel)
    first, second = (spec_augment(log_mel, 0.3, 0.3, generator(5)) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, spec_augment(log_mel, 0.3, 0.3, generator(6)))
