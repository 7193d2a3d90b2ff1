"""The measures against themselves, written straight from their definitions.

The naive ones loop over scores, clips and levels one at a time; they share nothing with the real
ones. Hypothesis makes small evaluations of every awkward kind: ties everywhere, clips without
labels, labels without positives or without negatives, one clip, one label, a graph in pieces.
"""

from dataclasses import dataclass

import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stages.metrics.average_precision import average_precision
from stages.metrics.bootstrap import bootstrap
from stages.metrics.omap import ontology_average_precision
from stages.metrics.ranking import rank
from stages.metrics.roc_auc import roc_auc


@dataclass(frozen=True)
class Evaluation:
    scores: np.ndarray
    targets: np.ndarray
    distances: np.ndarray

    def of(self, clips: np.ndarray) -> "Evaluation":
        """The same with these clips only, which may repeat."""
        return Evaluation(self.scores[clips], self.targets[clips], self.distances)


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    clips, labels = draw(st.integers(1, 9)), draw(st.integers(1, 5))
    seed = draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    targets = generator.random((clips, labels)) < draw(st.sampled_from([0.1, 0.4, 0.9]))
    targets[0, 0] = True
    steps = draw(st.sampled_from([1, 2, 4, 1000]))
    scores = generator.integers(-steps, steps + 1, (clips, labels)) / steps
    scores = scores.astype(draw(st.sampled_from([np.float16, np.float32, np.float64])))
    graph = nx.gnp_random_graph(labels + 3, 0.4, seed=seed)
    return Evaluation(scores, targets, distances_of(graph, labels))


def distances_of(graph: nx.Graph, labels: int) -> np.ndarray:
    found = dict(nx.all_pairs_shortest_path_length(graph))
    far = 1 + max(found[a].get(b, 0) for a in range(labels) for b in range(labels))
    return np.array([[found[a].get(b, far) for b in range(labels)] for a in range(labels)])


def naive_ap(scores: np.ndarray, positive: np.ndarray, weight: np.ndarray) -> float:
    if not positive.any():
        return float("nan")
    area, recall_before = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        taken = scores >= threshold
        true, false = (taken & positive).sum(), weight[taken & ~positive].sum()
        recall = true / positive.sum()
        if true:
            area += (recall - recall_before) * true / (true + false)
        recall_before = recall
    return area


def naive_average_precision(case: Evaluation) -> np.ndarray:
    columns = zip(case.scores.T, case.targets.T, strict=True)
    return np.array([naive_ap(*column, np.ones(len(case.scores))) for column in columns])


def naive_ontology_average_precision(case: Evaluation) -> np.ndarray:
    labelled = case.of(np.flatnonzero(case.targets.any(axis=1)))
    clips, labels = labelled.targets.shape
    off_diagonal = ~np.eye(labels, dtype=bool)
    by_level = []
    for level in range(case.distances.max() + 1):
        coarse = np.where(case.distances > level, case.distances, 0).astype(float)
        mean = coarse[off_diagonal].mean() if labels > 1 else 0.0
        coarse = coarse / mean if mean > 0 else coarse
        row = []
        for c in range(labels):
            weight = [coarse[labelled.targets[clip], c].min() for clip in range(clips)]
            row.append(naive_ap(labelled.scores[:, c], labelled.targets[:, c], np.array(weight)))
        by_level.append(row)
    return np.array(by_level)


def naive_auc(case: Evaluation) -> np.ndarray:
    found = []
    for scores, positive in zip(case.scores.T, case.targets.T, strict=True):
        pairs = [(p > n) + 0.5 * (p == n) for p in scores[positive] for n in scores[~positive]]
        found.append(sum(pairs) / len(pairs) if pairs else float("nan"))
    return np.array(found)


ZEROS = Evaluation(  # 0.0 and -0.0 are one score
    np.array([[0.0], [-0.0], [1.0]], dtype=np.float32),
    np.array([[True], [False], [False]]),
    np.zeros((1, 1), dtype=int),
)


@example(ZEROS)
@given(evaluations())
def test_average_precision(case: Evaluation) -> None:
    found = average_precision(rank(case.scores, case.targets))
    np.testing.assert_allclose(found, naive_average_precision(case), rtol=0, atol=1e-12)


@given(evaluations())
def test_ontology_average_precision(case: Evaluation) -> None:
    found = ontology_average_precision(rank(case.scores, case.targets, case.distances))
    np.testing.assert_allclose(found, naive_ontology_average_precision(case), rtol=0, atol=1e-12)


@example(ZEROS)
@given(evaluations())
def test_roc_auc(case: Evaluation) -> None:
    found = roc_auc(rank(case.scores, case.targets))
    np.testing.assert_allclose(found, naive_auc(case), rtol=0, atol=1e-12)


@given(evaluations())
def test_what_is_left_out_is_counted(case: Evaluation) -> None:
    rankings = rank(case.scores, case.targets, case.distances)
    assert rankings.clips_without_labels == sum(not row.any() for row in case.targets)
    np.testing.assert_array_equal(rankings.positives(), case.targets.sum(axis=0))
    without = np.isnan(ontology_average_precision(rankings)).all(axis=0)
    np.testing.assert_array_equal(without, rankings.positives() == 0)


@given(evaluations(), st.integers(0, 2**31 - 1))
def test_bootstrap_is_the_measure_of_repeated_clips(case: Evaluation, seed: int) -> None:
    found = bootstrap([rank(case.scores, case.targets, case.distances)], 3, seed)[0]
    generator = np.random.default_rng(seed)
    clips = len(case.scores)
    for replicate in found:
        drawn = case.of(generator.integers(0, clips, clips))
        if not drawn.targets.any():
            assert np.isnan(replicate).all()
            continue
        expected = [np.nanmean(naive_average_precision(drawn))]
        expected.extend(np.nanmean(naive_ontology_average_precision(drawn), axis=1))
        assert replicate == pytest.approx(expected, abs=1e-12)
