"""Top-k accuracy against scikit-learn without ties, and over all orders of the tied."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import top_k_accuracy_score

from stages.metrics.inputs import MetricInputError
from stages.metrics.top_k import is_single_label, top_k_accuracy


def over_all_orders(scores: np.ndarray, targets: np.ndarray, k: int) -> list[float]:
    """Each clip's share of all orders of its labels, then sorted by score, that have it in time."""
    shares = []
    for row, label in zip(scores, targets.argmax(axis=1), strict=True):
        orders = [sorted(o, key=lambda i: -row[i]) for o in permutations(range(len(row)))]
        shares.append(sum(int(label) in order[:k] for order in orders) / len(orders))
    return shares


@given(data=st.data())
def test_ties_count_as_their_random_order(
    single_label_cases: st.SearchStrategy, data: st.DataObject
) -> None:
    case = data.draw(single_label_cases)
    k = data.draw(st.integers(1, case.scores.shape[1]))
    clips = slice(0, 3)
    ratio = top_k_accuracy(case.scores[clips], case.targets[clips], k)
    expected = over_all_orders(case.scores[clips], case.targets[clips], k)
    np.testing.assert_allclose(ratio.numerators, expected, atol=1e-12)
    np.testing.assert_array_equal(ratio.denominators, 1)


@pytest.mark.parametrize("k", [1, 2, 5, 9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_without_ties_it_is_scikit_learns(dtype: type, k: int) -> None:
    generator = np.random.default_rng(8)
    labels = generator.integers(0, 10, 300)
    targets = np.eye(10, dtype=bool)[labels]
    scores = (generator.standard_normal((300, 10)) + targets).astype(dtype)
    expected = top_k_accuracy_score(labels, scores, k=k, labels=np.arange(10))
    assert top_k_accuracy(scores, targets, k).value == pytest.approx(expected, abs=1e-12)


def test_by_hand() -> None:
    scores = np.array([[0.1, 0.6, 0.3], [0.2, 0.4, 0.4], [0.5, 0.5, 0.5]])
    targets = np.eye(3, dtype=bool)  # third, one of two firsts, one of three firsts
    np.testing.assert_allclose(top_k_accuracy(scores, targets, 1).numerators, [0, 1 / 2, 1 / 3])
    np.testing.assert_allclose(top_k_accuracy(scores, targets, 2).numerators, [0, 1, 2 / 3])
    np.testing.assert_allclose(top_k_accuracy(scores, targets, 3).numerators, [1, 1, 1])


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_a_constant_score_reaches_chance(k: int) -> None:
    targets = np.eye(4, dtype=bool)[[0, 0, 0, 3]]
    assert top_k_accuracy(np.zeros((4, 4)), targets, k).value == pytest.approx(k / 4)


def test_one_label_and_one_clip() -> None:
    assert top_k_accuracy(np.array([[0.1]]), np.array([[True]]), 1).value == 1.0


@pytest.mark.parametrize("k", [0, -1, 4])
def test_k_out_of_range(k: int) -> None:
    with pytest.raises(MetricInputError, match=f"top-{k} accuracy of 3 labels: k must be 1 to 3"):
        top_k_accuracy(np.eye(3), np.eye(3, dtype=bool), k)


@pytest.mark.parametrize(("row", "found"), [([0, 0, 0], 0), ([1, 0, 1], 2)])
def test_a_clip_with_another_number_of_labels(row: list[int], found: int) -> None:
    targets = np.eye(3, dtype=bool)
    assert is_single_label(targets)
    targets[1] = row
    assert not is_single_label(targets)
    with pytest.raises(MetricInputError, match=f"clip 1 has {found} labels") as caught:
        top_k_accuracy(np.eye(3), targets, 1)
    assert caught.value.clip == 1
