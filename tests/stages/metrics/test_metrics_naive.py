"""The measures against themselves, written straight from their definitions.

The naive ones loop over scores, clips and levels one at a time; they share nothing with the real
ones. Hypothesis makes small evaluations of every awkward kind: ties everywhere, clips without
labels, labels without positives or without negatives, one clip, one label, a graph in pieces, a
graph so long that it has many levels.
"""

from collections.abc import Callable
from dataclasses import dataclass

import networkx as nx
import numpy as np
import pytest
from hypothesis import Phase, example, find, given, settings
from hypothesis import strategies as st

from stages.metrics.average_precision import average_precision
from stages.metrics.bootstrap import Replicates, bootstrap
from stages.metrics.clip_ratio import ClipRatio
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
    pieces = nx.gnp_random_graph(labels + 3, 0.4, seed=seed)
    many_levels = nx.path_graph(generator.permutation(28).tolist())
    graph = draw(st.sampled_from([pieces, many_levels, nx.empty_graph(labels)]))
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


KINDS: dict[str, Callable[[Evaluation], bool]] = {
    "a positive tied with a negative": lambda case: any(
        set(scores[hot]) & set(scores[~hot])
        for scores, hot in zip(case.scores.T, case.targets.T, strict=True)
    ),
    "a label with one positive": lambda case: (
        len(case.targets) > 3 and 1 in case.targets.sum(axis=0)
    ),
    "a label of all clips": lambda case: (
        len(case.targets) > 3 and bool(case.targets.all(axis=0).any())
    ),
    "a label without positives": lambda case: not case.targets.any(axis=0).all(),
    "a clip without labels": lambda case: not case.targets.any(axis=1).all(),
    "one clip": lambda case: len(case.targets) == 1,
    "one label": lambda case: len(case.distances) == 1,
    "a flat graph": lambda case: len(case.distances) > 1 and int(case.distances.max()) == 1,
    "many levels": lambda case: int(case.distances.max()) > 20,
    "half precision": lambda case: case.scores.dtype == np.float16,
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_awkward_kind_is_made(kind: str) -> None:
    found = find(
        evaluations(),
        KINDS[kind],
        settings=settings(max_examples=500, phases=[Phase.generate], derandomize=True),
    )
    assert KINDS[kind](found)


ZEROS = Evaluation(  # 0.0 and -0.0 are one score
    np.array([[0.0], [-0.0], [1.0]], dtype=np.float32),
    np.array([[True], [False], [False]]),
    np.zeros((1, 1), dtype=int),
)


MANY_LEVELS = Evaluation(  # as many as are allowed
    np.array([[0.9, 0.1, 0.2], [0.3, 0.8, 0.2], [0.4, 0.5, 0.7], [0.6, 0.6, 0.6]]),
    np.array([[1, 0, 0], [0, 1, 1], [1, 0, 0], [0, 0, 1]], dtype=bool),
    np.array([[0, 100, 254], [100, 0, 154], [254, 154, 0]]),
)


@example(ZEROS)
@given(evaluations())
def test_average_precision(case: Evaluation) -> None:
    found = average_precision(rank(case.scores, case.targets))
    np.testing.assert_allclose(found, naive_average_precision(case), rtol=0, atol=1e-12)


@example(MANY_LEVELS)
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


@example(MANY_LEVELS, 0, None)
@given(evaluations(), st.integers(0, 2**31 - 1), st.none() | st.integers(1, 9))
def test_bootstrap_is_the_measure_of_repeated_clips(
    case: Evaluation, seed: int, most_groups: int | None
) -> None:
    """As many groups as there are, drawn from `seed`, each with all its clips; or single clips."""
    clips = len(case.scores)
    alone, generator = np.arange(clips), np.random.default_rng(seed)
    found_in = alone if most_groups is None else alone * 7 % most_groups
    groups = np.unique(found_in, return_inverse=True)[1]
    sums = ClipRatio(np.arange(clips) + 1.0, np.arange(clips) % 3.0)
    (found,) = bootstrap(
        [rank(case.scores, case.targets, case.distances)],
        3,
        seed,
        groups=None if most_groups is None else groups,
        ratios=[[sums]],
    )
    many = int(groups.max()) + 1
    for row in range(3):
        members = [np.flatnonzero(groups == group) for group in generator.integers(0, many, many)]
        drawn = np.concatenate(members)
        assert_is_measure_of(found, row, case.of(drawn))
        below = sums.denominators[drawn].sum()
        expected = sums.numerators[drawn].sum() / below if below else np.nan
        np.testing.assert_allclose(found.ratios[row], [expected], rtol=1e-12)


def assert_is_measure_of(found: Replicates, row: int, drawn: Evaluation) -> None:
    if not drawn.targets.any():
        for values in (found.mean_average_precision, found.by_level, found.average_precision):
            assert np.isnan(values[row]).all()
        return
    ap, by_level = naive_average_precision(drawn), naive_ontology_average_precision(drawn)
    for values, expected in (
        (found.average_precision, ap),
        (found.ontology_average_precision, by_level.mean(axis=0)),
        (found.mean_average_precision, np.nanmean(ap)),
        (found.by_level, np.nanmean(by_level, axis=1)),
        (found.ontology_mean_average_precision, np.nanmean(by_level)),
    ):
        np.testing.assert_allclose(values[row], expected, rtol=0, atol=1e-12)
