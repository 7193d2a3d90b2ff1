"""How far off mistakes are, against plain loops over clips and labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.metrics.inputs import MetricInputError
from stages.metrics.ranking import clip_categories
from stages.metrics.severity import (
    confident_false_positives,
    random_distances,
    random_mean_distance,
    severity,
    top_one_distance,
)

THRESHOLDS = st.sampled_from([0.0, 1 / 3, 0.5, 1.0])
# Three labels in a row, 1 edge apart: a clip without labels is category 3.
LINE = np.array([[0, 1, 2], [1, 0, 1], [2, 1, 0]], dtype=np.uint8)


def distances_of_negatives(case, clip: int) -> dict[int, int]:
    """Distance to the truth of each label that a clip does not have; none for one without labels."""
    has = np.flatnonzero(case.targets[clip])
    lacks = np.flatnonzero(~case.targets[clip]) if len(has) else []
    return {int(c): min(int(case.distances[p, c]) for p in has) for c in lacks}


@given(data=st.data(), threshold=THRESHOLDS)
def test_false_positives_and_their_severity(
    cases: st.SearchStrategy, data: st.DataObject, threshold: float
) -> None:
    case = data.draw(cases)
    nearest, levels = clip_categories(case.targets, case.distances), int(case.distances.max()) + 1
    found = confident_false_positives(case.scores, nearest, threshold, levels)
    ratio = severity(case.scores, nearest, threshold)
    reached = case.scores >= case.scores.dtype.type(threshold)
    every: list[int] = []
    for clip in range(len(reached)):
        negatives = distances_of_negatives(case, clip)
        distances = [far for label, far in negatives.items() if reached[clip, label]]
        assert ratio.numerators[clip] == sum(distances)
        assert ratio.denominators[clip] == len(distances)
        every.extend(distances)
    np.testing.assert_array_equal(found, [every.count(far) for far in range(levels)])
    assert ratio.value == (pytest.approx(np.mean(every)) if every else None)
    assert found @ np.arange(levels) == sum(every)


@given(data=st.data())
def test_top_one_distance(cases: st.SearchStrategy, data: st.DataObject) -> None:
    case = data.draw(cases)
    ratio = top_one_distance(case.scores, clip_categories(case.targets, case.distances))
    for clip, scores in enumerate(case.scores):
        labelled = case.targets[clip].any()
        negatives = distances_of_negatives(case, clip)
        top = np.flatnonzero(scores == scores.max())
        expected = np.mean([negatives.get(int(c), 0) for c in top]) if labelled else 0
        assert ratio.numerators[clip] == pytest.approx(expected, abs=1e-12)
        assert ratio.denominators[clip] == labelled


@given(data=st.data())
def test_random_distances(cases: st.SearchStrategy, data: st.DataObject) -> None:
    case = data.draw(cases)
    levels = int(case.distances.max()) + 1
    shares = random_distances(clip_categories(case.targets, case.distances), levels)
    every = [
        far
        for clip in range(len(case.targets))
        for far in distances_of_negatives(case, clip).values()
    ]
    expected = [every.count(far) / max(len(every), 1) for far in range(levels)]
    np.testing.assert_allclose(shares, expected, atol=1e-12)
    assert random_mean_distance(shares) == (pytest.approx(np.mean(every)) if every else None)


@given(data=st.data())
def test_tagging_everything_is_as_bad_as_chance(
    cases: st.SearchStrategy, data: st.DataObject
) -> None:
    case = data.draw(cases)
    nearest, levels = clip_categories(case.targets, case.distances), int(case.distances.max()) + 1
    ratio = severity(case.scores, nearest, 0.0)
    expected = random_mean_distance(random_distances(nearest, levels))
    assert ratio.value == (None if expected is None else pytest.approx(expected))


def test_by_hand() -> None:
    targets = np.array([[1, 0, 0], [0, 0, 1], [1, 0, 1], [0, 0, 0]], dtype=bool)
    scores = np.array([[0.9, 0.6, 0.7], [0.8, 0.1, 0.2], [0.1, 0.3, 0.2], [0.9, 0.9, 0.9]])
    nearest = clip_categories(targets, LINE)
    np.testing.assert_array_equal(confident_false_positives(scores, nearest, 0.5, 3), [0, 1, 2])
    ratio = severity(scores, nearest, 0.5)
    np.testing.assert_array_equal(ratio.numerators, [3, 2, 0, 0])
    np.testing.assert_array_equal(ratio.denominators, [2, 1, 0, 0])
    top = top_one_distance(scores, nearest)
    np.testing.assert_array_equal(top.numerators, [0, 2, 1, 0])
    np.testing.assert_array_equal(top.denominators, [1, 1, 1, 0])
    np.testing.assert_allclose(random_distances(nearest, 3), [0, 3 / 5, 2 / 5])
    assert random_mean_distance(np.array([0, 3 / 5, 2 / 5])) == pytest.approx(1.4)


def test_ties_at_the_top_count_as_their_mean() -> None:
    nearest = clip_categories(np.array([[True, False, False]]), LINE)
    assert top_one_distance(np.full((1, 3), 0.5), nearest).value == pytest.approx(1.0)


def test_a_score_written_as_the_threshold_is_confident() -> None:
    nearest = clip_categories(np.array([[True, False, False]]), LINE)
    scores = np.array([[0.0, 0.0, 0.7]], dtype=np.float32)  # 0.7 is less in float32
    assert severity(scores, nearest, 0.7).value == 2.0


def test_no_confident_false_positive() -> None:
    nearest = clip_categories(np.eye(3, dtype=bool), LINE)
    assert severity(np.eye(3), nearest, 0.5).value is None
    np.testing.assert_array_equal(confident_false_positives(np.eye(3), nearest, 0.5, 3), 0)


def test_only_clips_without_labels() -> None:
    nearest = clip_categories(np.zeros((2, 3), dtype=bool), LINE)
    scores = np.ones((2, 3))
    np.testing.assert_array_equal(confident_false_positives(scores, nearest, 0.5, 3), 0)
    assert severity(scores, nearest, 0.5).value is None
    assert top_one_distance(scores, nearest).value is None
    np.testing.assert_array_equal(random_distances(nearest, 3), 0)


def test_one_label_has_nothing_to_be_confused_with() -> None:
    nearest = clip_categories(np.array([[True], [False]]), np.zeros((1, 1), dtype=np.uint8))
    scores = np.array([[0.9], [0.8]])
    assert severity(scores, nearest, 0.5).value is None
    assert top_one_distance(scores, nearest).value == 0.0
    shares = random_distances(nearest, 1)
    np.testing.assert_array_equal(shares, [0])
    assert random_mean_distance(shares) is None


def test_the_largest_distance_has_its_place() -> None:
    far = np.array([[0, 254], [254, 0]], dtype=np.uint8)
    nearest = clip_categories(np.array([[True, False]] * 300), far)
    found = confident_false_positives(np.ones((300, 2)), nearest, 0.5, 255)
    assert found[254] == found.sum() == 300
    assert severity(np.ones((300, 2)), nearest, 0.5).value == 254.0
    assert top_one_distance(np.ones((300, 2)), nearest).value == 127.0


def test_many_distances_of_one_clip_add_up_beyond_a_byte() -> None:
    far = 200 * (1 - np.eye(4, dtype=np.uint8))
    nearest = clip_categories(np.array([[True, False, False, False]]), far)
    ratio = severity(np.ones((1, 4)), nearest, 0.5)
    assert (ratio.numerators[0], ratio.denominators[0]) == (600, 3)
    assert top_one_distance(np.ones((1, 4)), nearest).value == 150.0


@pytest.mark.parametrize("threshold", [np.nan, np.inf])
def test_a_threshold_that_is_no_number(threshold: float) -> None:
    nearest = clip_categories(np.eye(3, dtype=bool), LINE)
    with pytest.raises(MetricInputError, match=f"the threshold is {threshold}"):
        severity(np.eye(3), nearest, threshold)
