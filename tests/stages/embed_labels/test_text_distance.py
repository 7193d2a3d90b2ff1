"""Text distances against ontology distances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from stages.embed_labels.text_distance import cosines, near_duplicates, rank_correlation

LINE = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))


def _unit(seed: int, labels: int = 6) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(labels, 5))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Rank of each value, equal values sharing their mean rank, by the definition."""
    return np.array([(values < v).sum() + ((values == v).sum() + 1) / 2 for v in values])


@given(st.integers(0, 1000))
def test_cosines_are_those_of_scikit_learn(seed: int) -> None:
    vectors = _unit(seed)
    np.testing.assert_allclose(cosines(vectors), cosine_similarity(vectors), atol=1e-6)


@given(st.integers(0, 1000))
def test_rank_correlation_is_pearson_of_ranks_over_pairs(seed: int) -> None:
    cosine = cosines(_unit(seed))
    distances = np.random.default_rng(seed).integers(1, 5, size=(6, 6))
    distances += distances.T
    first, second = np.triu_indices(6, k=1)
    expected = np.corrcoef(_ranks(1 - cosine[first, second]), _ranks(distances[first, second]))
    assert rank_correlation(cosine, distances) == pytest.approx(expected[0, 1], abs=1e-12)


def test_a_text_space_that_follows_the_ontology_correlates_fully() -> None:
    angles = np.arange(4) * 0.3
    on_an_arc = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert rank_correlation(cosines(on_an_arc), LINE) == pytest.approx(1)
    assert rank_correlation(cosines(on_an_arc), 10 - LINE) == pytest.approx(-1)


@pytest.mark.parametrize("labels", [1, 2])
def test_too_few_labels_have_no_correlation(labels: int) -> None:
    assert rank_correlation(cosines(_unit(0, labels)), LINE[:labels, :labels]) is None


def test_constant_distances_have_no_correlation() -> None:
    same = np.tile(_unit(0, 1), (4, 1))
    assert rank_correlation(cosines(same), LINE) is None
    assert rank_correlation(cosines(_unit(0, 4)), np.ones((4, 4), dtype=int)) is None


def test_near_duplicates_come_most_similar_first_and_ties_in_label_order() -> None:
    cosine = np.array(
        [[1, 0.9, 0.95, 0.2], [0.9, 1, 0.9, 0.1], [0.95, 0.9, 1, 0.899], [0.2, 0.1, 0.899, 1]]
    )
    found = near_duplicates(cosine, ["a", "b", "c", "d"], 0.9)
    assert [(pair.label, pair.other, pair.cosine) for pair in found] == [
        ("a", "c", 0.95),
        ("a", "b", 0.9),
        ("b", "c", 0.9),
    ]


def test_the_same_text_is_a_duplicate_at_the_highest_threshold() -> None:
    vectors = _unit(1, 3)
    vectors[2] = vectors[0] * np.float32(1 - 6e-8)
    found = near_duplicates(cosines(vectors), ["a", "b", "c"], 1.0)
    assert [(pair.label, pair.other) for pair in found] == [("a", "c")]
