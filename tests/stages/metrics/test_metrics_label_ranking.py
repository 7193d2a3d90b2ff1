"""lwlrap against scikit-learn and against its definition, one pair at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score

from stages.metrics import label_ranking
from stages.metrics.label_ranking import label_weighted_label_ranking


def naive(scores: np.ndarray, targets: np.ndarray) -> list[float]:
    """Sum of precisions of each clip."""
    sums = []
    for row, truth in zip(scores.tolist(), targets.tolist(), strict=True):
        total = 0.0
        for score in (s for s, true in zip(row, truth, strict=True) if true):
            ranked = [true for s, true in zip(row, truth, strict=True) if s >= score]
            total += sum(ranked) / len(ranked)
        sums.append(total)
    return sums


@given(data=st.data())
def test_it_is_the_definition(cases: st.SearchStrategy, data: st.DataObject) -> None:
    case = data.draw(cases)
    ratio = label_weighted_label_ranking(case.scores, case.targets)
    np.testing.assert_allclose(ratio.numerators, naive(case.scores, case.targets), atol=1e-12)
    np.testing.assert_array_equal(ratio.denominators, case.targets.sum(axis=1))


@given(data=st.data())
def test_it_is_scikit_learns_weighted_by_labels(
    cases: st.SearchStrategy, data: st.DataObject
) -> None:
    case = data.draw(cases)
    expected = label_ranking_average_precision_score(
        case.targets.astype(int), case.scores, sample_weight=case.targets.sum(axis=1)
    )
    found = label_weighted_label_ranking(case.scores, case.targets).value
    assert found == pytest.approx(expected, abs=1e-12)


def test_by_hand() -> None:
    # Clip 0: ranks 1 and 3 are true, 1/1 and 2/3. Clip 1: its label is second, 1/2.
    scores = np.array([[0.9, 0.5, 0.1], [0.4, 0.3, 0.2]])
    targets = np.array([[True, False, True], [False, True, False]])
    ratio = label_weighted_label_ranking(scores, targets)
    np.testing.assert_allclose(ratio.numerators, [5 / 3, 1 / 2])
    assert ratio.value == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)


def test_a_tie_counts_as_ranked_above() -> None:
    targets = np.array([[True, False, False, False]])
    assert label_weighted_label_ranking(np.full((1, 4), 0.5), targets).value == 0.25


def test_a_clip_without_labels_has_no_say() -> None:
    scores, targets = np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([[True, False], [False, False]])
    ratio = label_weighted_label_ranking(scores, targets)
    np.testing.assert_array_equal(ratio.numerators, [1, 0])
    np.testing.assert_array_equal(ratio.denominators, [1, 0])
    assert label_weighted_label_ranking(scores, np.zeros((2, 2), dtype=bool)).value is None


def test_a_clip_with_all_labels_has_1_however_they_are_ranked() -> None:
    ratio = label_weighted_label_ranking(np.array([[0.2, 0.1, 0.3]]), np.ones((1, 3), dtype=bool))
    assert ratio.value == 1.0


def test_only_the_order_within_a_clip_matters() -> None:
    generator = np.random.default_rng(2)
    scores, targets = generator.random((40, 9)), generator.random((40, 9)) < 0.3
    scale, shift = generator.random((40, 1)) + 1, generator.random((40, 1))
    before = label_weighted_label_ranking(scores, targets)
    after = label_weighted_label_ranking(scale * scores + shift, targets)
    np.testing.assert_array_equal(before.numerators, after.numerators)


def test_more_true_labels_than_are_ranked_at_once() -> None:
    generator = np.random.default_rng(4)
    scores, targets = generator.random((1200, 9)), generator.random((1200, 9)) < 0.8
    assert targets.sum() > 2 * label_ranking._BLOCK
    found = label_weighted_label_ranking(scores, targets).numerators
    np.testing.assert_allclose(found, naive(scores, targets), atol=1e-12)
