"""The bootstrap: seeds, pairs, groups, progress, and what it says when there is little to draw from.

That a replicate is the measure of a resample is tested in test_metrics_naive.py.
"""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.metrics import bootstrap as module
from stages.metrics.average_precision import average_precision, chance_average_precision
from stages.metrics.bootstrap import Replicates, bootstrap, interval, intervals
from stages.metrics.clip_ratio import ClipRatio
from stages.metrics.inputs import MetricInputError
from stages.metrics.ranking import Rankings, rank


def model(seed: int, skill: float, copies: int = 1) -> Rankings:
    """400 clips, 6 labels; the targets are the same for every seed. Each clip may have copies."""
    targets = np.random.default_rng(0).random((400, 6)) < 0.1
    noise = np.random.default_rng(seed).normal(size=(400, 6))
    distances = np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    scores = noise + skill * targets
    return rank(scores.repeat(copies, axis=0), targets.repeat(copies, axis=0), distances)


def one_by_one(clips: int) -> list[list[ClipRatio]]:
    """One model's one ratio: the mean number of the clip."""
    return [[ClipRatio(np.arange(clips, dtype=np.float64), np.ones(clips))]]


def assert_same(one: Replicates, other: Replicates) -> None:
    for field in fields(Replicates):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


def test_the_seed_decides() -> None:
    (first,), (again,), (other,) = (
        bootstrap([model(1, 1.0)], 40, seed, ratios=one_by_one(400)) for seed in (7, 7, 8)
    )
    assert_same(first, again)
    for field in fields(Replicates):
        assert not np.array_equal(getattr(first, field.name), getattr(other, field.name))


def test_shapes() -> None:
    (found,) = bootstrap([model(1, 1.0)], 40, 0, ratios=one_by_one(400))
    assert found.mean_average_precision.shape == (40,)
    assert found.by_level.shape == found.average_precision.shape == (40, 6)
    assert found.ontology_average_precision.shape == (40, 6)
    assert found.ratios.shape == (40, 1)


def test_means_are_those_of_the_labels() -> None:
    (found,) = bootstrap([model(1, 1.0)], 40, 0)
    np.testing.assert_allclose(
        found.mean_average_precision, found.average_precision.mean(axis=1), rtol=1e-12
    )
    of_labels = found.ontology_average_precision.mean(axis=1)
    np.testing.assert_allclose(found.ontology_mean_average_precision, of_labels, rtol=1e-12)
    np.testing.assert_allclose(found.by_level.mean(axis=1), of_labels, rtol=1e-12)


def test_more_resamples_begin_with_the_same() -> None:
    (few,), (many,) = (bootstrap([model(1, 1.0)], resamples, 3) for resamples in (33, 170))
    # A block of one resample adds up in another order.
    np.testing.assert_allclose(few.by_level, many.by_level[:33], rtol=1e-12)
    np.testing.assert_allclose(few.average_precision, many.average_precision[:33], rtol=1e-12)


@pytest.mark.parametrize(("constant", "value"), [("_WORKERS", 1), ("_WORKERS", 3), ("_CELLS", 999)])
def test_threads_and_pieces_change_no_number(
    monkeypatch: pytest.MonkeyPatch, constant: str, value: int
) -> None:
    (expected,) = bootstrap([model(1, 1.0)], 128, 0, ratios=one_by_one(400))
    monkeypatch.setattr(module, constant, value)
    (found,) = bootstrap([model(1, 1.0)], 128, 0, ratios=one_by_one(400))
    assert_same(found, expected)


def test_a_model_against_itself_differs_by_nothing() -> None:
    assert_same(*bootstrap([model(1, 1.0), model(1, 1.0)], 20, 0))


def test_pairs_are_drawn_together() -> None:
    better, worse = model(1, 2.0), model(1, 1.9)
    paired = [found.mean_average_precision for found in bootstrap([better, worse], 200, 0)]
    (alone,), (other,) = bootstrap([better], 200, 0), bootstrap([worse], 200, 1)
    apart = alone.mean_average_precision - other.mean_average_precision
    np.testing.assert_array_equal(paired[0], alone.mean_average_precision)
    assert np.std(paired[0] - paired[1]) < np.std(apart) / 3


def test_ratios_see_the_same_resamples() -> None:
    """The AP of one label whose clips score by number, from the mean number of a resample's clips."""
    clips = 40
    targets = np.arange(clips)[:, None] == clips - 1
    ranking = rank(np.arange(clips)[:, None] / clips, targets)
    is_last = ClipRatio(targets[:, 0].astype(np.float64), np.ones(clips))
    (found,) = bootstrap([ranking], 100, 0, ratios=[[is_last]])
    never_drawn = found.ratios[:, 0] == 0
    assert never_drawn.any()
    np.testing.assert_array_equal(np.isnan(found.average_precision[:, 0]), never_drawn)


def test_a_ratio_of_clips_that_were_not_drawn_is_nan() -> None:
    only_first = ClipRatio(np.array([2.0, 0.0]), np.array([1.0, 0.0]))
    ranking = rank(np.array([[0.1], [0.2]]), np.array([[1], [1]]))
    (found,) = bootstrap([ranking], 60, 0, ratios=[[only_first]])
    assert set(found.ratios[~np.isnan(found.ratios)]) == {2.0}
    assert np.isnan(found.ratios).any()


def test_every_model_needs_its_ratios() -> None:
    with pytest.raises(ValueError, match="zip"):
        bootstrap([model(1, 1.0), model(2, 1.0)], 4, 0, ratios=one_by_one(400))


def test_groups_of_one_clip_are_clips() -> None:
    alone, grouped = (
        bootstrap([model(1, 1.0)], 40, 5, groups=groups, ratios=one_by_one(400))
        for groups in (None, np.arange(400))
    )
    assert_same(alone[0], grouped[0])


def test_the_order_of_groups_does_not_matter() -> None:
    shuffled = np.random.default_rng(1).permutation(400)
    alone, grouped = (
        np.std(bootstrap([model(1, 1.0)], 800, 5, groups=groups)[0].mean_average_precision)
        for groups in (None, shuffled)
    )
    assert grouped == pytest.approx(alone, rel=0.1)


def test_copies_in_one_group_say_no_more_than_one_clip() -> None:
    (once,) = bootstrap([model(1, 1.0)], 200, 0)
    copies = model(1, 1.0, copies=4)
    (grouped,) = bootstrap([copies], 200, 0, groups=np.arange(400).repeat(4))
    for field in ("average_precision", "by_level", "mean_average_precision"):
        np.testing.assert_allclose(getattr(grouped, field), getattr(once, field), rtol=1e-12)
    (apart,) = bootstrap([copies], 200, 0)
    spread = np.std(apart.mean_average_precision) / np.std(grouped.mean_average_precision)
    assert spread == pytest.approx(0.5, rel=0.15)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (np.arange(399), r"groups have shape \(399,\); there are 400 clips"),
        (np.arange(400) * 2, "from 0 to 798 with 400 of them in use"),
        (np.arange(400) - 1, "from -1 to 398"),
    ],
)
def test_groups_that_do_not_fit(groups: np.ndarray, message: str) -> None:
    with pytest.raises(MetricInputError, match=message):
        bootstrap([model(1, 1.0)], 1, 0, groups=groups)


def test_the_spread_is_that_of_new_clips() -> None:
    """One label, known AP spread: draw 300 fresh evaluations and compare standard deviations."""

    def fresh(seed: int) -> Rankings:
        generator = np.random.default_rng(seed)
        targets = generator.random((300, 1)) < 0.3
        return rank(generator.normal(size=(300, 1)) + targets, targets)

    truth = np.std([average_precision(fresh(seed))[0] for seed in range(300)])
    boots = [np.std(bootstrap([fresh(seed)], 100, 0)[0].average_precision) for seed in range(10)]
    assert np.mean(boots) == pytest.approx(truth, rel=0.2)


def test_progress_counts_resamples() -> None:
    done: list[int] = []
    bootstrap([model(1, 1.0)], 70, 0, advance=done.append)
    assert sum(done) == 70


def test_no_resamples_no_interval() -> None:
    (found,) = bootstrap([model(1, 1.0)], 0, 0)
    assert found.mean_average_precision.shape == (0,)
    assert found.average_precision.shape == (0, 6)
    assert interval(0.5, found.mean_average_precision) is None
    assert interval(0.5, np.array([np.nan])) is None
    assert np.isnan(intervals(np.full(6, 0.5), found.average_precision)).all()


def test_no_value_no_interval() -> None:
    assert interval(float("nan"), np.array([0.2, 0.3])) is None


def test_interval_leaves_out_resamples_without_a_positive() -> None:
    assert interval(0.2, np.array([np.nan, 0.2, 0.2, np.nan])) == pytest.approx((0.2, 0.2))


def test_interval_is_percentiles_around_the_value() -> None:
    replicates = np.linspace(0, 1, 1001)
    assert interval(0.4, replicates) == pytest.approx((-0.075, 0.875))
    assert interval(0.4, replicates, 0.0, 1.0) == pytest.approx((0.0, 0.875))
    assert interval(0.6, replicates, 0.0, 1.0) == pytest.approx((0.125, 1.0))


def test_interval_reaches_the_value_that_rare_replicates_pull_away() -> None:
    """One in a hundred replicates is 0: the percentiles are both 1, moved up by 0.01."""
    replicates = np.repeat([0.0, 1.0], [1, 99])
    assert interval(0.9, replicates, 0.0, 1.0) == pytest.approx((0.9, 0.91))


unit = st.floats(0, 1)


@given(unit, st.lists(unit | st.just(float("nan")), max_size=30))
def test_interval_holds_its_value_within_its_bounds(value: float, replicates: list[float]) -> None:
    found = interval(value, np.array(replicates, dtype=np.float64), 0.0, 1.0)
    if found is None:
        assert np.isnan(replicates).all()
    else:
        assert 0 <= found[0] <= value <= found[1] <= 1


def test_intervals_are_each_columns_interval() -> None:
    generator = np.random.default_rng(0)
    replicates = generator.random((50, 4))
    replicates[::3, 1] = np.nan
    replicates[:, 2] = np.nan
    found = intervals(np.array([0.1, 0.9, 0.5, np.nan]), replicates, 0.0, 1.0)
    for index, value in ((0, 0.1), (1, 0.9)):
        assert tuple(found[index]) == interval(value, replicates[:, index], 0.0, 1.0)
    assert np.isnan(found[2:]).all()
    assert intervals(np.empty(0), np.empty((50, 0))).shape == (0, 2)


def test_intervals_hold_the_mean_ap_of_chance() -> None:
    """The expected mAP of random scores is known; plain percentiles held it in 23 of these 40."""
    held = 0
    for seed in range(40):
        generator = np.random.default_rng(seed)
        targets = generator.random((300, 40)) < 0.05
        rankings = rank(generator.random((300, 40)), targets)
        truth = np.nanmean(chance_average_precision(rankings.positives(), 300))
        value = float(np.nanmean(average_precision(rankings)))
        replicates = bootstrap([rankings], 64, seed)[0].mean_average_precision
        low, high = interval(value, replicates) or (0, 0)
        held += low <= truth <= high
    assert held >= 36
