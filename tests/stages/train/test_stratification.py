"""A part of the recordings that has its share of every label."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.train.stratification import stratified_part

SHARES = st.sampled_from([0.05, 0.1, 0.2, 0.25, 1 / 3, 0.5])


def part(
    labels_of: NDArray[np.bool_],
    share: float,
    seed: int = 0,
    clips_of: NDArray[np.int64] | None = None,
) -> NDArray[np.bool_]:
    """Choose among recordings of one clip each, unless `clips_of` says otherwise."""
    sparse = scipy.sparse.csr_array(labels_of.astype(np.int32))
    if clips_of is None:
        clips_of = np.ones(len(labels_of), np.int64)
    return stratified_part(sparse, clips_of, share, np.random.default_rng(seed))


def long_tailed(recordings: int, labels: int, seed: int) -> NDArray[np.bool_]:
    """About 1.5 labels a recording; a later label is rarer."""
    frequency = np.arange(1, labels + 1) ** -0.7
    draws = np.random.default_rng(seed).random((recordings, labels))
    found: NDArray[np.bool_] = draws < 1.5 * frequency / frequency.sum()
    return found


@given(st.integers(1, 14), st.integers(1, 6), st.floats(0.05, 0.8), SHARES, st.integers(0, 99))
def test_no_label_loses_its_last_recording(
    recordings: int, labels: int, density: float, share: float, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    labels_of = generator.random((recordings, labels)) < density
    chosen = part(labels_of, share, seed, generator.integers(1, 50, recordings))
    left = labels_of[~chosen].sum(axis=0)
    assert (left[labels_of.any(axis=0)] >= 1).all()


def test_a_label_all_of_whose_recordings_other_labels_chose_gets_one_back() -> None:
    """A case that needs it: found among small ones, with both recordings of label 0 chosen."""
    labels_of = np.array([[1, 1, 0, 1], [1, 1, 1, 0]], dtype=np.bool_)
    for seed in range(50):
        assert part(labels_of, 0.5, seed).sum() <= 1


@given(st.lists(st.integers(2, 40), min_size=1, max_size=8), SHARES, st.integers(0, 99))
def test_with_one_label_a_recording_each_gets_its_share_to_one(
    sizes: list[int], share: float, seed: int
) -> None:
    label_of = np.repeat(np.arange(len(sizes)), sizes)
    chosen = part(np.eye(len(sizes), dtype=np.bool_)[label_of], share, seed)
    found = np.bincount(label_of[chosen], minlength=len(sizes))
    desired = share * np.array(sizes)
    assert (np.abs(found - desired) < 1).all()
    assert (found[desired >= 0.5] >= 1).all()
    if (desired >= 1).all():
        assert abs(found.sum() - desired.sum()) <= 0.5 + 1e-9


def test_labels_that_can_spare_nothing_leave_their_share_to_others() -> None:
    """50 labels of one recording, 50 of 14: all 75 come from the latter."""
    label_of = np.concatenate([np.arange(50), np.repeat(np.arange(50, 100), 14)])
    chosen = part(np.eye(100, dtype=np.bool_)[label_of], 0.1)
    assert not chosen[:50].any()
    assert chosen.sum() == 75


def test_recordings_of_many_sizes_give_their_share_of_the_clips_too() -> None:
    """Ten labels of 30 recordings each, from 1 clip to about 400."""
    labels_of = np.eye(10, dtype=np.bool_)[np.repeat(np.arange(10), 30)]
    for seed in range(10):
        clips_of = np.random.default_rng(seed).pareto(1.0, 300).clip(0, 400).astype(np.int64) + 1
        chosen = part(labels_of, 0.1, seed, clips_of)
        assert chosen.sum() == 30
        assert 0.04 < clips_of[chosen].sum() / clips_of.sum() < 0.16
    largest = np.where(np.arange(300) % 30 == 7, 79, 3)
    assert not part(labels_of, 0.1, 0, largest)[largest == 79].any()


@pytest.mark.parametrize(("recordings", "labels"), [(320, 50), (2000, 200)])
def test_with_several_labels_it_beats_chance(recordings: int, labels: int) -> None:
    """The labels' counts are nearer to their shares, and more labels have one, than drawn at random."""
    deviations: dict[str, list[float]] = {"here": [], "chance": []}
    heard: dict[str, list[float]] = {"here": [], "chance": []}
    for seed in range(5):
        labels_of = long_tailed(recordings, labels, seed)
        here = part(labels_of, 0.1, seed)
        assert abs(here.mean() - 0.1) < 0.01
        chance = np.random.default_rng(seed).permutation(here)
        for name, chosen in (("here", here), ("chance", chance)):
            found = labels_of[chosen].sum(axis=0)
            deviations[name].append(np.abs(found - 0.1 * labels_of.sum(axis=0)).mean())
            heard[name].append(np.count_nonzero(found))
    assert np.mean(deviations["here"]) < 0.75 * np.mean(deviations["chance"])
    assert np.mean(heard["here"]) > 1.1 * np.mean(heard["chance"])


def test_recordings_without_a_label_fill_the_part_up() -> None:
    assert part(np.zeros((40, 3), np.bool_), 0.25).sum() == 10
    labels_of = np.zeros((100, 1), np.bool_)
    labels_of[:10] = True
    chosen = part(labels_of, 0.2)
    assert (chosen[:10].sum(), chosen[10:].sum()) == (2, 18)


def test_no_share_and_no_recordings() -> None:
    assert not part(long_tailed(50, 5, 0), 0.0).any()
    assert part(np.zeros((0, 3), np.bool_), 0.1).shape == (0,)


def test_the_generator_decides() -> None:
    labels_of = long_tailed(300, 10, 0)
    np.testing.assert_array_equal(part(labels_of, 0.1, 1), part(labels_of, 0.1, 1))
    assert (part(labels_of, 0.1, 1) != part(labels_of, 0.1, 2)).any()
