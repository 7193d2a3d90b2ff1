"""What no measure is defined for is refused by name."""

import re

import numpy as np
import pytest

from stages.metrics.inputs import MetricInputError, multi_hot
from stages.metrics.ranking import rank

SCORES = np.array([[0.1, 0.9, 0.3], [0.4, 0.2, 0.6]])
TARGETS = np.array([[1, 0, 0], [0, 1, 1]])
DISTANCES = np.array([[0, 1, 2], [1, 0, 2], [2, 2, 0]])


def changed(array: np.ndarray, place: tuple[int, int], value: float) -> np.ndarray:
    copy = array.astype(np.float64)
    copy[place] = value
    return copy


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite(value: float) -> None:
    with pytest.raises(MetricInputError, match=f"clip 1 has score {value} for label 2") as caught:
        rank(changed(SCORES, (1, 2), value), TARGETS)
    assert (caught.value.clip, caught.value.label) == (1, 2)


@pytest.mark.parametrize("value", [2, -1, 0.5, np.nan])
def test_a_target_other_than_0_and_1(value: float) -> None:
    message = f"clip 0 has target {float(value)} for label 1; 0 or 1 is needed"
    with pytest.raises(MetricInputError, match=re.escape(message)):
        rank(SCORES, changed(TARGETS, (0, 1), value))


@pytest.mark.parametrize("shape", [(3,), (0, 3), (2, 0), (2, 3, 1)])
def test_scores_of_another_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(MetricInputError, match=re.escape(f"scores have shape {shape}")):
        rank(np.zeros(shape), TARGETS)


def test_scores_that_are_no_floats() -> None:
    with pytest.raises(MetricInputError, match="scores are int64"):
        rank(TARGETS, TARGETS)


def test_targets_of_another_shape() -> None:
    with pytest.raises(MetricInputError, match=re.escape("targets have shape (2, 2)")):
        rank(SCORES, TARGETS[:, :2])


def test_no_positive_at_all() -> None:
    with pytest.raises(MetricInputError, match="none of the 2 clips has a label"):
        rank(SCORES, np.zeros_like(TARGETS))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ((0, 1), 3, "labels 0 and 1 have distance 3.0: distances must be symmetric"),
        ((0, 1), np.nan, "labels 0 and 1 have distance nan: distances must be symmetric"),
        ((2, 2), 1, "labels 2 and 2 have distance 1.0: the diagonal must be 0"),
    ],
)
def test_distances_of_no_graph(place: tuple[int, int], value: float, message: str) -> None:
    with pytest.raises(MetricInputError, match=re.escape(message)):
        rank(SCORES, TARGETS, changed(DISTANCES, place, value))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "different labels must be at least 1 apart"),
        (-1, "different labels must be at least 1 apart"),
        (255, "at most 254 is supported"),
        (np.inf, "at most 254 is supported"),
        (1.5, "a whole number of edges"),
    ],
)
def test_distances_out_of_range(value: float, message: str) -> None:
    both = changed(changed(DISTANCES, (0, 2), value), (2, 0), value)
    with pytest.raises(MetricInputError, match=f"labels 0 and 2 have distance .*{message}"):
        rank(SCORES, TARGETS, both)


def test_distances_for_other_labels() -> None:
    with pytest.raises(MetricInputError, match=re.escape("distances have shape (2, 2) for 3")):
        rank(SCORES, TARGETS, DISTANCES[:2, :2])


def test_the_largest_distance_has_all_its_levels() -> None:
    far = np.array([[0, 254], [254, 0]])
    rankings = rank(SCORES[:, :2], TARGETS[:, :2], far)
    assert rankings.labels[0].counts.shape == (256, 1)


def test_multi_hot() -> None:
    found = multi_hot(np.array([2, 0, 1]), np.array([0, 3, 3], dtype=np.uint64), 4)
    np.testing.assert_array_equal(found, [[1, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize("index", [4, -1, 2**40])
def test_multi_hot_refuses_an_index_out_of_range(index: int) -> None:
    with pytest.raises(MetricInputError, match=f"clip 2 has target {index}; with 4 labels, 0 to 3"):
        multi_hot(np.array([1, 0, 2]), np.array([1, 3, index]), 4)


def test_multi_hot_refuses_an_index_twice() -> None:
    with pytest.raises(MetricInputError, match="clip 1 has target 3 twice") as caught:
        multi_hot(np.array([1, 3]), np.array([3, 3, 0, 3]), 4)
    assert (caught.value.clip, caught.value.label) == (1, 3)
