"""The clips of an epoch: each in its turn, or drawn so that labels are heard evenly."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.errors import SpaError
from stages.train import sampling as sampling_module
from stages.train.sampling import balanced_shares, epoch_order

SEEDS = st.integers(0, 2**31 - 1)


def no_labels(clips: int) -> NDArray[np.float32]:
    return np.zeros((clips, 3), np.float32)


def random_targets(clips: int, labels: int, seed: int) -> NDArray[np.float32]:
    """Long-tailed: label c is about 1 / (c + 1) as frequent as label 0; clips have up to 3."""
    generator = np.random.default_rng(seed)
    frequency = 1 / np.arange(1, labels + 1)
    chosen = generator.choice(labels, (clips, 3), p=frequency / frequency.sum())
    targets = np.zeros((clips, labels), np.float32)
    targets[np.arange(clips)[:, None], chosen] = 1
    return targets


@given(st.integers(1, 60), SEEDS, st.integers(0, 100))
def test_shuffled_has_every_clip_once_an_epoch(clips: int, seed: int, epoch: int) -> None:
    order = epoch_order(no_labels(clips), "shuffled", None, seed, epoch)
    assert order.dtype == np.int64
    assert sorted(order) == list(range(clips))


@given(st.integers(1, 30), st.integers(1, 80), st.integers(0, 5), st.integers(1, 8), SEEDS)
def test_epochs_of_another_size_go_through_all_clips_before_one_comes_again(
    clips: int, size: int, first: int, epochs: int, seed: int
) -> None:
    """From whatever epoch on: no clip is heard twice more than another that was heard less."""
    targets = no_labels(clips)
    heard = [
        epoch_order(targets, "shuffled", size, seed, epoch)
        for epoch in range(1, first + epochs + 1)
    ]
    assert {len(order) for order in heard} == {size}
    counts = np.bincount(np.concatenate(heard), minlength=clips)
    assert counts.max() - counts.min() <= 1
    assert counts.sum() == size * (first + epochs)


@pytest.mark.parametrize("sampling", ["shuffled", "balanced"])
def test_seed_and_epoch_decide(sampling: str) -> None:
    targets = random_targets(200, 5, 0)

    def order(seed: int, epoch: int) -> list[int]:
        return epoch_order(targets, sampling, None, seed, epoch).tolist()

    assert order(1, 2) == order(1, 2)
    orders = [order(seed, epoch) for seed in (1, 2) for epoch in (1, 2)]
    assert len({tuple(found) for found in orders}) == 4


@given(st.integers(1, 40), st.integers(1, 6), SEEDS)
def test_a_clips_share_is_the_sum_over_its_labels(clips: int, labels: int, seed: int) -> None:
    targets = (np.random.default_rng(seed).random((clips, labels)) < 0.4).astype(np.float32)
    targets[0, 0] = 1
    counts = targets.sum(axis=0, dtype=np.float64)
    weights = [sum(1 / counts[label] for label in np.flatnonzero(row)) for row in targets]
    shares = balanced_shares(targets)
    np.testing.assert_allclose(shares, np.array(weights) / sum(weights), atol=1e-12)
    assert shares.sum() == pytest.approx(1)
    np.testing.assert_array_equal(balanced_shares(targets.astype(np.bool_)), shares)


def test_targets_are_looked_at_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = random_targets(100, 6, 0)
    whole = balanced_shares(targets)
    monkeypatch.setattr(sampling_module, "_CHUNK_CELLS", 40)
    np.testing.assert_array_equal(balanced_shares(targets), whole)


def test_balanced_draws_follow_the_shares() -> None:
    """Chi-squared of 200,000 draws of 50 clips, within four deviations of its mean."""
    targets = random_targets(50, 8, 1)
    targets[[3, 49]] = 0
    shares = balanced_shares(targets)
    drawn = np.bincount(epoch_order(targets, "balanced", 200_000, 0, 0), minlength=50)
    assert drawn[[3, 49]].sum() == 0
    possible = shares > 0
    expected = 200_000 * shares[possible]
    chi_squared = ((drawn[possible] - expected) ** 2 / expected).sum()
    freedom = possible.sum() - 1
    assert abs(chi_squared - freedom) < 4 * np.sqrt(2 * freedom)


def test_balanced_evens_out_labels() -> None:
    """One label a clip, 500 to 1: each is heard as often. More labels a clip: far more evenly."""
    sizes = [500, 100, 20, 4, 1]
    single = np.eye(5, dtype=np.float32)[np.repeat(np.arange(5), sizes)]
    heard = single[epoch_order(single, "balanced", 50_000, 0, 0)].mean(axis=0)
    np.testing.assert_allclose(heard, 0.2, atol=0.01)
    several = random_targets(3000, 40, 0)
    heard = several[epoch_order(several, "balanced", 50_000, 0, 0)].mean(axis=0)
    before = several.mean(axis=0)
    assert heard.max() / heard.min() < 0.5 * before.max() / before.min()
    assert heard.min() > 0.9 / 40  # 1/40 is what a label has that comes with no other


def test_balanced_draws_are_in_no_order() -> None:
    """Half of neighbours rise: what is looked up in order is mixed again."""
    order = epoch_order(random_targets(2000, 10, 0), "balanced", None, 0, 0)
    assert abs(np.mean(np.diff(order) > 0) - 0.5) < 0.05
    assert max(Counter(order.tolist()).values()) > 1


def test_nothing_to_balance() -> None:
    with pytest.raises(SpaError, match="none of the 4 training clips has a label") as raised:
        epoch_order(no_labels(4), "balanced", None, 0, 0)
    assert raised.value.next_step is not None
