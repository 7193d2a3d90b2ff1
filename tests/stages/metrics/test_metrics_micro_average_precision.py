"""Micro average precision against scikit-learn, which ranks the same cells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from stages.metrics.average_precision import average_precision
from stages.metrics.micro_average_precision import micro_average_precision
from stages.metrics.ranking import rank


@given(data=st.data())
def test_it_is_scikit_learns(cases: st.SearchStrategy, data: st.DataObject) -> None:
    case = data.draw(cases)
    expected = average_precision_score(case.targets, case.scores, average="micro")
    found = micro_average_precision(case.scores, case.targets)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_scikit_learns_without_ties(dtype: type) -> None:
    generator = np.random.default_rng(3)
    targets = generator.random((400, 30)) < 0.05
    scores = (generator.standard_normal((400, 30)) + targets).astype(dtype)
    expected = average_precision_score(targets, scores, average="micro")
    assert micro_average_precision(scores, targets) == pytest.approx(expected, abs=1e-12)


def test_by_hand() -> None:
    # In order: 0.9 true, 0.8 false, then 0.5 twice, one of them true: 1/2 * 1 + 1/2 * 2/4.
    scores = np.array([[0.9, 0.5], [0.8, 0.5], [0.1, 0.2]])
    targets = np.array([[True, False], [False, True], [False, False]])
    assert micro_average_precision(scores, targets) == 0.75


def test_one_label_is_its_average_precision() -> None:
    generator = np.random.default_rng(1)
    scores, targets = generator.random((50, 1)), generator.random((50, 1)) < 0.3
    expected = average_precision(rank(scores, targets))[0]
    assert micro_average_precision(scores, targets) == pytest.approx(expected, abs=1e-15)


def test_labels_on_different_scales_are_perfect_alone_but_not_together() -> None:
    scores = np.array([[0.2, 0.8], [0.1, 0.9]])
    targets = np.array([[True, False], [False, True]])
    np.testing.assert_array_equal(average_precision(rank(scores, targets)), [1, 1])
    assert micro_average_precision(scores, targets) == pytest.approx((1 + 2 / 3) / 2)


def test_equal_scores_give_the_share_of_positives() -> None:
    targets = np.array([[True, False, False], [False, False, True]])
    assert micro_average_precision(np.full((2, 3), 0.4), targets) == pytest.approx(1 / 3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_both_zeros_are_one_score(dtype: type) -> None:
    scores = np.array([[0.0], [-0.0], [-0.0], [0.0]], dtype=dtype)
    targets = np.array([[True], [True], [False], [False]])
    assert micro_average_precision(scores, targets) == 0.5


def test_all_positive() -> None:
    assert micro_average_precision(np.eye(3), np.ones((3, 3), dtype=bool)) == 1.0


def test_no_positive() -> None:
    assert np.isnan(micro_average_precision(np.eye(3), np.zeros((3, 3), dtype=bool)))


def test_the_scores_are_left_as_they_are() -> None:
    scores = np.array([[0.3, 0.1], [0.2, 0.9]])
    before = scores.copy()
    micro_average_precision(scores, np.eye(2, dtype=bool))
    np.testing.assert_array_equal(scores, before)
