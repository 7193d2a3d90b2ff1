"""Expected calibration error against scikit-learn's curve and against its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from stages.metrics import calibration
from stages.metrics.calibration import are_probabilities, calibration_error
from stages.metrics.inputs import MetricInputError


def naive(scores: np.ndarray, targets: np.ndarray, bins: int) -> float:
    """Of one list of cells, bin by bin."""
    error = 0.0
    for b in range(bins):
        low, high = np.linspace(0, 1, bins + 1)[b : b + 2]
        inside = (scores > low) & (scores <= high) | ((b == 0) & (scores == 0))
        if inside.any():
            gap = abs(scores[inside].mean() - targets[inside].mean())
            error += inside.mean() * gap
    return error


def scikit_learns(scores: np.ndarray, targets: np.ndarray, bins: int) -> float:
    """From the points of the curve; scikit-learn gives no sizes of the bins, so count them here."""
    true, predicted = calibration_curve(targets, scores, n_bins=bins)
    sizes = np.bincount(np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], scores))
    return float(np.abs(true - predicted) @ sizes[sizes > 0] / len(scores))


@given(data=st.data(), bins=st.sampled_from([1, 2, 3, 15]))
def test_it_is_the_definition(cases: st.SearchStrategy, data: st.DataObject, bins: int) -> None:
    case = data.draw(cases)
    scores = case.scores.astype(np.float64)
    found = calibration_error(case.scores, case.targets, bins)
    by_label = [naive(*column, bins) for column in zip(scores.T, case.targets.T, strict=True)]
    np.testing.assert_allclose(found.by_label, by_label, atol=1e-12)
    expected = naive(scores.ravel(), case.targets.ravel(), bins)
    assert found.pooled == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_it_is_scikit_learns(bins: int) -> None:
    generator = np.random.default_rng(9)
    scores = generator.random((2500, 6)) ** 3  # more clips than are binned at once
    assert len(scores) > 2 * calibration._BLOCK
    targets = generator.random((2500, 6)) < scores**1.5
    found = calibration_error(scores, targets, bins)
    by_label = [scikit_learns(*column, bins) for column in zip(scores.T, targets.T, strict=True)]
    np.testing.assert_allclose(found.by_label, by_label, atol=1e-12)
    assert found.pooled == pytest.approx(scikit_learns(scores.ravel(), targets.ravel(), bins))


def test_by_hand() -> None:
    # Two bins: 0, 0.2 and 0.5 of which one true; 0.9 and 1 of which one true.
    scores = np.array([0.0, 0.2, 0.5, 0.9, 1.0])[:, None]
    targets = np.array([0, 0, 1, 0, 1], dtype=bool)[:, None]
    found = calibration_error(scores, targets, 2)
    expected = 3 / 5 * abs(0.7 / 3 - 1 / 3) + 2 / 5 * abs(1.9 / 2 - 1 / 2)
    assert found.by_label[0] == pytest.approx(expected)
    assert found.pooled == pytest.approx(expected)


def test_certain_scores() -> None:
    targets = np.random.default_rng(1).random((30, 4)) < 0.3
    perfect = calibration_error(targets.astype(np.float32), targets)
    np.testing.assert_array_equal(perfect.by_label, 0)
    assert perfect.pooled == 0
    wrong = calibration_error((~targets).astype(np.float32), targets)
    np.testing.assert_allclose(wrong.by_label, 1)


def test_true_probabilities_are_nearly_calibrated() -> None:
    generator = np.random.default_rng(2)
    scores = generator.random((20_000, 2))
    targets = generator.random((20_000, 2)) < scores
    # About sqrt(p (1 - p) / size of a bin) is left over by chance: 0.4 / sqrt(20000 / 15).
    assert (calibration_error(scores, targets).by_label < 0.02).all()


def test_labels_errors_cancel_in_the_pooled_error() -> None:
    targets = np.array([[True, False]] * 10)
    found = calibration_error(np.full((10, 2), 0.5), targets)
    np.testing.assert_allclose(found.by_label, 0.5)
    assert found.pooled == 0


def test_a_label_without_positives_has_the_mean_of_its_scores() -> None:
    scores = np.array([[0.1], [0.5], [0.9]])
    found = calibration_error(scores, np.zeros((3, 1), dtype=bool))
    assert found.by_label[0] == pytest.approx(0.5)


@pytest.mark.parametrize("value", [-0.001, 1.001, np.nan, np.inf, -7.0])
def test_scores_that_are_no_probabilities(value: float) -> None:
    scores = np.full((3, 2), 0.5)
    assert are_probabilities(scores)
    scores[2, 1] = value
    assert not are_probabilities(scores)
    with pytest.raises(MetricInputError, match=f"clip 2 has score {value} for label 1") as caught:
        calibration_error(scores, np.eye(3, 2, dtype=bool))
    assert (caught.value.clip, caught.value.label) == (2, 1)


def test_the_ends_are_probabilities() -> None:
    assert are_probabilities(np.array([[0.0, -0.0, 1.0]]))


def test_no_bins() -> None:
    with pytest.raises(MetricInputError, match="with 0 bins: at least 1"):
        calibration_error(np.eye(2), np.eye(2, dtype=bool), 0)
