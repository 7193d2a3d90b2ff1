"""Tags at a threshold against scikit-learn, and the thresholds to choose by trying them all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve, precision_recall_fscore_support

from stages.metrics.inputs import MetricInputError
from stages.metrics.ranking import rank
from stages.metrics.thresholds import (
    BestThresholds,
    best_thresholds,
    confusion_counts,
    matched_threshold,
    tagged,
)

THRESHOLDS = st.sampled_from([0.0, 0.3, 1 / 3, 0.5, 1.0])


def scikit_learns(targets: np.ndarray, tags: np.ndarray) -> np.ndarray:
    """Precision, recall and F1 of one label."""
    found = precision_recall_fscore_support(
        targets.astype(int), tags.astype(int), average="binary", zero_division=0
    )
    return np.array(found[:3])


def best(scores: np.ndarray, targets: np.ndarray) -> BestThresholds:
    return best_thresholds(rank(scores, targets), scores, targets)


@given(data=st.data(), threshold=THRESHOLDS)
def test_each_label_has_scikit_learns_precision_recall_and_f1(
    cases: st.SearchStrategy, data: st.DataObject, threshold: float
) -> None:
    case = data.draw(cases)
    counts = confusion_counts(case.scores, case.targets, threshold)
    tags = tagged(case.scores, threshold)
    present = case.targets.any(axis=0)
    expected = np.array([scikit_learns(*c) for c in zip(case.targets.T, tags.T, strict=True)])
    found = np.stack([counts.precision, counts.recall, counts.f1], axis=1)
    np.testing.assert_allclose(found[present], expected[present], atol=1e-12)
    np.testing.assert_array_equal(counts.precision[~present], 0)
    assert np.isnan(found[~present, 1:]).all()
    macro = counts.macro()
    np.testing.assert_allclose(
        [macro.precision, macro.recall, macro.f1], expected[present].mean(axis=0), atol=1e-12
    )


@given(data=st.data(), threshold=THRESHOLDS)
def test_micro_is_scikit_learns(
    cases: st.SearchStrategy, data: st.DataObject, threshold: float
) -> None:
    case = data.draw(cases)
    micro = confusion_counts(case.scores, case.targets, threshold).micro()
    tags = tagged(case.scores, threshold)
    expected = scikit_learns(case.targets.ravel(), tags.ravel())
    np.testing.assert_allclose([micro.recall, micro.f1], expected[1:], atol=1e-12)
    assert micro.precision == pytest.approx(
        expected[0] if tags.any() else np.nan, abs=1e-12, nan_ok=True
    )


@given(data=st.data(), threshold=THRESHOLDS)
def test_every_cell_is_counted_once(
    cases: st.SearchStrategy, data: st.DataObject, threshold: float
) -> None:
    case = data.draw(cases)
    counts = confusion_counts(case.scores, case.targets, threshold)
    np.testing.assert_array_equal(counts.positives, case.targets.sum(axis=0))
    tags = (case.scores >= case.scores.dtype.type(threshold)).sum(axis=0)
    np.testing.assert_array_equal(counts.true_positives + counts.false_positives, tags)
    for found in (counts.true_positives, counts.false_positives, counts.false_negatives):
        assert found.dtype == np.int64
        assert (found >= 0).all()


def test_counts_by_hand() -> None:
    scores = np.array([[0.9, 0.5, 0.1], [0.5, 0.4, 0.9], [0.2, 0.8, 0.3]])
    targets = np.array([[1, 1, 0], [0, 1, 0], [1, 0, 0]], dtype=bool)
    counts = confusion_counts(scores, targets, 0.5)  # a score of 0.5 is a tag
    np.testing.assert_array_equal(counts.true_positives, [1, 1, 0])
    np.testing.assert_array_equal(counts.false_positives, [1, 1, 1])
    np.testing.assert_array_equal(counts.false_negatives, [1, 1, 0])
    np.testing.assert_array_equal(counts.f1, [0.5, 0.5, np.nan])
    macro, micro = counts.macro(), counts.micro()
    assert (macro.precision, macro.recall, macro.f1) == (0.5, 0.5, 0.5)  # of two labels
    assert (micro.precision, micro.recall) == (2 / 5, 1 / 2)
    assert micro.f1 == pytest.approx(2 / (1 / 0.4 + 1 / 0.5))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.7, 0.9])
def test_a_score_written_as_the_threshold_meets_it(dtype: type, threshold: float) -> None:
    scores = np.array([[dtype(threshold), np.nextafter(dtype(threshold), dtype(0))]])
    np.testing.assert_array_equal(tagged(scores, threshold), [[True, False]])


def test_a_threshold_that_the_scores_type_cannot_hold() -> None:
    scores = np.array([[65504.0, -65504.0]], dtype=np.float16)
    np.testing.assert_array_equal(tagged(scores, 1e6), [[False, False]])
    np.testing.assert_array_equal(tagged(scores, -1e6), [[True, True]])


@pytest.mark.parametrize("threshold", [np.nan, np.inf, -np.inf])
def test_a_threshold_that_is_no_number(threshold: float) -> None:
    with pytest.raises(MetricInputError, match=f"the threshold is {threshold}; a finite number"):
        confusion_counts(np.eye(2), np.eye(2, dtype=bool), threshold)


def test_no_tag_and_no_positive() -> None:
    counts = confusion_counts(np.zeros((2, 2)), np.zeros((2, 2), dtype=bool), 0.5)
    for averages in (counts.macro(), counts.micro()):
        assert np.isnan([averages.precision, averages.recall, averages.f1]).all()
    counts = confusion_counts(np.zeros((2, 2)), np.eye(2, dtype=bool), 0.5)
    assert (counts.macro().precision, counts.macro().f1) == (0, 0)
    assert np.isnan(counts.micro().precision)
    assert (counts.micro().recall, counts.micro().f1) == (0, 0)


def test_a_tag_of_a_clip_without_labels_is_a_false_positive() -> None:
    targets = np.array([[True], [False]])
    assert confusion_counts(np.array([[0.9], [0.8]]), targets, 0.5).precision[0] == 0.5


@given(data=st.data())
def test_the_best_threshold_is_the_best_of_all(
    cases: st.SearchStrategy, data: st.DataObject
) -> None:
    case = data.draw(cases)
    found = best(case.scores, case.targets)
    for label, (scores, targets) in enumerate(zip(case.scores.T, case.targets.T, strict=True)):
        if not targets.any():
            assert np.isnan([found.threshold[label], found.f1[label]]).all()
            continue
        tried = {float(s): scikit_learns(targets, scores >= s)[2] for s in np.unique(scores)}
        highest = max(tried.values())
        assert found.f1[label] == pytest.approx(highest, abs=1e-12)
        assert found.threshold[label] == max(s for s, f1 in tried.items() if f1 > highest - 1e-9)


def test_the_best_threshold_is_on_scikit_learns_curve() -> None:
    generator = np.random.default_rng(6)
    targets = generator.random((500, 20)) < 0.1
    scores = np.round(generator.random((500, 20)) + 0.4 * targets, 2).astype(np.float32)
    found = best(scores, targets)
    for label in range(20):
        precision, recall, thresholds = precision_recall_curve(targets[:, label], scores[:, label])
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        assert found.f1[label] == pytest.approx(f1.max(), abs=1e-12)
        place = int(np.flatnonzero(thresholds == found.threshold[label])[0])
        assert f1[place] == pytest.approx(f1.max(), abs=1e-12)


@given(data=st.data())
def test_the_best_threshold_gives_the_best_f1(
    cases: st.SearchStrategy, data: st.DataObject
) -> None:
    case = data.draw(cases)
    found = best(case.scores, case.targets)
    for label in np.flatnonzero(case.targets.any(axis=0)):
        counts = confusion_counts(case.scores, case.targets, found.threshold[label])
        assert counts.f1[label] == pytest.approx(found.f1[label], abs=1e-12)


def test_of_equally_good_thresholds_the_highest() -> None:
    # From 0.9: 1 of 1 right, 1 of 3 found; from 0.1: 3 of 9 and 3 of 3. F1 is 1/2 both times.
    scores = np.array([0.9, *[0.5] * 6, 0.1, 0.1])[:, None]
    targets = np.array([1, *[0] * 6, 1, 1], dtype=bool)[:, None]
    found = best(scores, targets)
    assert (found.threshold[0], found.f1[0]) == (0.9, 0.5)


def test_the_best_threshold_of_a_label_that_all_clips_have() -> None:
    found = best(np.array([[0.7], [0.2], [0.4]]), np.ones((3, 1), dtype=bool))
    assert (found.threshold[0], found.f1[0]) == (0.2, 1.0)


@given(data=st.data())
def test_the_matched_threshold_is_the_highest_with_enough_tags(
    cases: st.SearchStrategy, data: st.DataObject
) -> None:
    case = data.draw(cases)
    found = matched_threshold(case.scores, case.targets)
    true_cells = case.targets.sum()
    assert tagged(case.scores, found).sum() >= true_cells
    assert (case.scores > found).sum() < true_cells
    assert found in case.scores


def test_the_matched_threshold_of_logits() -> None:
    logits = np.array([[-7.0, 2.5], [-1.0, -30.0]], dtype=np.float32)
    assert matched_threshold(logits, np.array([[False, True], [True, False]])) == -1.0
    assert matched_threshold(logits, np.ones((2, 2), dtype=bool)) == -30.0


def test_the_matched_threshold_needs_a_true_cell() -> None:
    with pytest.raises(MetricInputError, match="none of the 3 clips has a label"):
        matched_threshold(np.eye(3), np.zeros((3, 3), dtype=bool))
