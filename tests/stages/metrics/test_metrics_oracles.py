"""The measures against scikit-learn and the standard library, and properties that they must have."""

from itertools import permutations
from statistics import NormalDist

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from stages.metrics.average_precision import average_precision, chance_average_precision
from stages.metrics.omap import level_means, ontology_average_precision
from stages.metrics.ranking import Rankings, ascending, rank
from stages.metrics.roc_auc import d_prime, roc_auc


@pytest.fixture(params=[np.float32, np.float64])
def case(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """300 clips, 40 labels of which number 7 has no positive, a third of the clips without labels."""
    generator = np.random.default_rng(5)
    targets = generator.random((300, 40)) < 0.05
    targets[::3] = False
    targets[:, 7] = False
    scores = np.round(generator.random((300, 40)) + 0.3 * targets, 2).astype(request.param)
    distances = generator.integers(1, 9, (40, 40))
    distances = np.minimum(distances, distances.T) * (1 - np.eye(40, dtype=int))
    return scores, targets, distances


def test_average_precision_is_scikit_learns(case: tuple[np.ndarray, ...]) -> None:
    scores, targets, _ = case
    found = average_precision(rank(scores, targets))
    for label in range(40):
        if label == 7:
            assert np.isnan(found[label])
            continue
        expected = average_precision_score(targets[:, label], scores[:, label])
        assert found[label] == pytest.approx(expected, abs=1e-12)


def test_roc_auc_is_scikit_learns(case: tuple[np.ndarray, ...]) -> None:
    scores, targets, _ = case
    found = roc_auc(rank(scores, targets))
    for label in range(40):
        if label == 7:
            assert np.isnan(found[label])
            continue
        expected = roc_auc_score(targets[:, label], scores[:, label])
        assert found[label] == pytest.approx(expected, abs=1e-12)


def test_auc_needs_negatives() -> None:
    assert np.isnan(roc_auc(rank(np.array([[0.1], [0.2]]), np.ones((2, 1))))).all()


@pytest.mark.parametrize("auc", [0.001, 0.3, 0.5, 0.76025, 0.97, 0.999])
def test_d_prime_is_the_inverse_normal(auc: float) -> None:
    assert d_prime(auc) == pytest.approx(2**0.5 * NormalDist().inv_cdf(auc), abs=1e-12)


def test_d_prime_of_a_separation_of_one() -> None:
    assert d_prime(NormalDist().cdf(1 / 2**0.5)) == pytest.approx(1.0)
    assert d_prime(1.0) == np.inf
    assert d_prime(0.0) == -np.inf


@pytest.mark.parametrize("positives", [1, 2, 5, 6])
def test_chance_is_the_mean_over_all_orders(positives: int) -> None:
    truth = [True] * positives + [False] * (6 - positives)
    orders = set(permutations(truth))
    mean = np.mean([average_precision_score(order, np.arange(6)) for order in orders])
    found = chance_average_precision(np.array([positives, 0]), 6)
    assert found[0] == pytest.approx(mean, abs=1e-12)
    assert np.isnan(found[1])


def test_chance_tends_to_the_share_of_positives() -> None:
    found = chance_average_precision(np.array([1000]), 100_000)
    assert 0.01 < found[0] < 0.0102


def measures(rankings: Rankings) -> np.ndarray:
    rows = (average_precision(rankings), roc_auc(rankings))
    return np.vstack([*rows, ontology_average_precision(rankings)])


def test_only_the_order_of_scores_matters(case: tuple[np.ndarray, ...]) -> None:
    scores, targets, distances = case
    first = measures(rank(scores, targets, distances))
    np.testing.assert_array_equal(first, measures(rank(7 * scores - 20, targets, distances)))
    order = np.random.default_rng(0).permutation(len(scores))
    np.testing.assert_array_equal(first, measures(rank(scores[order], targets[order], distances)))


def test_equal_distances_make_level_0_plain_average_precision(
    case: tuple[np.ndarray, ...],
) -> None:
    scores, targets, _ = case
    labelled = targets.any(axis=1)
    rankings = rank(scores[labelled], targets[labelled])
    found = ontology_average_precision(rankings)
    np.testing.assert_allclose(found[0], average_precision(rankings), rtol=0, atol=1e-12)


def test_clips_without_labels_change_mean_ap_but_not_omap(case: tuple[np.ndarray, ...]) -> None:
    scores, targets, distances = case
    labelled = targets.any(axis=1)
    every = rank(scores, targets, distances)
    some = rank(scores[labelled], targets[labelled], distances)
    np.testing.assert_array_equal(
        ontology_average_precision(every), ontology_average_precision(some)
    )
    assert np.nanmean(average_precision(every)) < np.nanmean(average_precision(some))


def test_everything_is_forgiven_at_the_last_level(case: tuple[np.ndarray, ...]) -> None:
    found = ontology_average_precision(rank(*case))
    assert len(found) == case[2].max() + 1
    np.testing.assert_array_equal(np.delete(found[-1], 7), np.ones(39))


def test_one_label_has_one_level_and_nothing_to_confuse_with() -> None:
    scores = np.array([[0.9], [0.1], [0.5]])
    rankings = rank(scores, np.array([[0], [1], [1]]), np.zeros((1, 1), dtype=int))
    np.testing.assert_array_equal(ontology_average_precision(rankings), [[1.0]])
    assert average_precision(rankings)[0] == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_one_clip() -> None:
    rankings = rank(np.array([[0.3, 0.6]]), np.array([[1, 0]]))
    np.testing.assert_array_equal(average_precision(rankings), [1.0, np.nan])
    assert np.isnan(roc_auc(rankings)).all()


def test_level_means_by_hand() -> None:
    distances = np.array([[0, 1, 2], [1, 0, 3], [2, 3, 0]], dtype=np.uint8)
    np.testing.assert_allclose(level_means(distances), [2, 5 / 3, 1, 1])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_ascending_sorts_every_float(dtype: type) -> None:
    extreme = [0.0, -0.0, 1e-8, -1e-8, 1.0, -1.0, 60000.0, -60000.0, 6e-8, 0.5]
    scores = np.random.default_rng(1).permutation(np.array(extreme * 3, dtype=dtype))
    np.testing.assert_array_equal(scores[ascending(scores)], np.sort(scores))
