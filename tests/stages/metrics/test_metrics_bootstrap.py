"""The bootstrap: seeds, pairs, progress, and what it says when there is little to draw from.

That a replicate is the measure of a resample is tested in test_metrics_naive.py.
"""

import numpy as np
import pytest

from stages.metrics.average_precision import average_precision, chance_average_precision
from stages.metrics.bootstrap import bootstrap, interval
from stages.metrics.ranking import Rankings, rank


def model(seed: int, skill: float) -> Rankings:
    """400 clips, 6 labels; the targets are the same for every seed."""
    targets = np.random.default_rng(0).random((400, 6)) < 0.1
    noise = np.random.default_rng(seed).normal(size=(400, 6))
    distances = np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    return rank(noise + skill * targets, targets, distances)


def test_the_seed_decides() -> None:
    first, again, other = (bootstrap([model(1, 1.0)], 40, seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == (1, 40, 1 + 6)


def test_more_resamples_begin_with_the_same() -> None:
    few, many = (bootstrap([model(1, 1.0)], resamples, 3) for resamples in (33, 70))
    np.testing.assert_array_equal(few, many[:, :33])


def test_a_model_against_itself_differs_by_nothing() -> None:
    replicates = bootstrap([model(1, 1.0), model(1, 1.0)], 20, 0)
    np.testing.assert_array_equal(replicates[0], replicates[1])


def test_pairs_are_drawn_together() -> None:
    better, worse = model(1, 2.0), model(1, 1.9)
    paired = bootstrap([better, worse], 200, 0)[:, :, 0]
    apart = bootstrap([better], 200, 0)[0, :, 0] - bootstrap([worse], 200, 1)[0, :, 0]
    assert np.std(paired[0] - paired[1]) < np.std(apart) / 3


def test_the_spread_is_that_of_new_clips() -> None:
    """One label, known AP spread: draw 300 fresh evaluations and compare standard deviations."""

    def fresh(seed: int) -> tuple[np.ndarray, np.ndarray]:
        generator = np.random.default_rng(seed)
        targets = generator.random((300, 1)) < 0.3
        return generator.normal(size=(300, 1)) + targets, targets

    truth = np.std([average_precision(rank(*fresh(seed)))[0] for seed in range(300)])
    boots = [np.std(bootstrap([rank(*fresh(seed))], 100, 0)[0, :, 0]) for seed in range(10)]
    assert np.mean(boots) == pytest.approx(truth, rel=0.2)


def test_progress_counts_resamples() -> None:
    done: list[int] = []
    bootstrap([model(1, 1.0)], 70, 0, done.append)
    assert sum(done) == 70


def test_no_resamples_no_interval() -> None:
    assert bootstrap([model(1, 1.0)], 0, 0).shape == (1, 0, 7)
    assert interval(0.5, np.empty(0)) is None
    assert interval(0.5, np.array([np.nan])) is None


def test_interval_leaves_out_resamples_without_a_positive() -> None:
    assert interval(0.2, np.array([np.nan, 0.2, 0.2, np.nan])) == pytest.approx((0.2, 0.2))


def test_interval_is_percentiles_around_the_value() -> None:
    assert interval(0.4, np.linspace(0, 1, 1001)) == pytest.approx((-0.075, 0.875))


def test_intervals_hold_the_mean_ap_of_chance() -> None:
    """The expected mAP of random scores is known; plain percentiles held it in 23 of these 40."""
    held = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        targets = generator.random((300, 40)) < 0.05
        rankings = rank(generator.random((300, 40)), targets)
        truth = np.nanmean(chance_average_precision(rankings.positives(), 300))
        value = float(np.nanmean(average_precision(rankings)))
        low, high = interval(value, bootstrap([rankings], 64, seed)[0, :, 0]) or (0, 0)
        held += low <= truth <= high
    assert held >= 36
