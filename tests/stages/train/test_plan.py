"""What batches are made of: every clip once, mixed as drawn, from the seed and the number alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.train.plan import Plan
from stages.train.settings import TrainSettings


def plan(clips: int, batch_size: int, **settings: object) -> Plan:
    return Plan(np.eye(clips, 3, dtype=bool), TrainSettings.model_validate(settings), batch_size)


@given(clips=st.integers(1, 100), batch_size=st.integers(1, 40), epoch=st.integers(1, 5))
def test_an_epoch_has_every_clip_once_in_batches_of_nearly_one_size(
    clips: int, batch_size: int, epoch: int
) -> None:
    made = plan(clips, batch_size)
    batches = made.epoch(epoch)
    assert sorted(np.concatenate([batch.clips for batch in batches])) == list(range(clips))
    sizes = [len(batch.clips) for batch in batches]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= batch_size
    assert [batch.number for batch in batches] == [
        (epoch - 1) * len(batches) + place for place in range(len(batches))
    ]
    assert [made.clips_in(count) for count in range(len(batches) + 1)] == [
        sum(sizes[:count]) for count in range(len(batches) + 1)
    ]


@given(first=st.integers(0, 7), epoch=st.integers(1, 3))
def test_an_epoch_gone_on_with_is_the_rest_of_the_same_epoch(first: int, epoch: int) -> None:
    whole, rest = plan(50, 8).epoch(epoch), plan(50, 8).epoch(epoch, first)
    assert len(rest) == len(whole) - first
    for ours, theirs in zip(rest, whole[first:], strict=True):
        assert ours.number == theirs.number
        for name in ("clips", "partner", "share"):
            assert np.array_equal(getattr(ours, name), getattr(theirs, name))


@given(alpha=st.floats(0.05, 5), seed=st.integers(0, 50))
def test_mixing_is_a_convex_combination_that_keeps_at_least_half(alpha: float, seed: int) -> None:
    (batch,) = plan(9, 9, mixup_alpha=alpha, seed=seed).epoch(1)
    mixed = batch.mixed(np.eye(9, dtype=np.float32))
    np.testing.assert_allclose(mixed.sum(axis=1), 1, rtol=1e-6)
    assert (mixed >= 0).all()
    assert (mixed.diagonal() >= 0.5 - 1e-6).all()
    assert sorted(batch.partner) == list(range(9))


def test_mixing_draws_from_beta() -> None:
    """Beta(a, a) folded to its larger half; a = 1 is uniform, so the mean share is 3/4."""
    (batch,) = plan(4000, 4000, mixup_alpha=1).epoch(1)
    assert batch.share.mean() == pytest.approx(0.75, abs=0.01)


def test_a_share_of_the_clips_is_mixed() -> None:
    (batch,) = plan(4000, 4000, mixup_alpha=1, mixup_share=0.3).epoch(1)
    assert (batch.share < 1).mean() == pytest.approx(0.3, abs=0.03)
    (batch,) = plan(40, 40, mixup_alpha=0).epoch(1)
    assert (batch.share == 1).all()
    rows = np.random.default_rng(0).random((40, 3)).astype(np.float32)
    assert np.array_equal(batch.mixed(rows), rows)


def test_steps_of_gathered_batches() -> None:
    assert plan(100, 10, accumulate=4).steps_per_epoch == 3
    assert plan(100, 10).steps_per_epoch == 10


def test_epochs_and_seeds_differ() -> None:
    first, second = (plan(50, 50).epoch(epoch)[0] for epoch in (1, 2))
    other = plan(50, 50, seed=1).epoch(1)[0]
    assert not np.array_equal(first.clips, second.clips)
    assert not np.array_equal(first.clips, other.clips)
    assert not np.array_equal(first.share, second.share)
