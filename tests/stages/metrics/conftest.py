"""Small evaluations of every awkward kind, for the naive oracles of the single measures."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import strategies as st


@dataclass(frozen=True)
class Case:
    """Scores (clips, labels) in [0, 1], targets of the same shape, distances (labels, labels)."""

    scores: np.ndarray
    targets: np.ndarray
    distances: np.ndarray


@st.composite
def awkward(draw: st.DrawFn, *, single_label: bool) -> Case:
    """Ties everywhere or nowhere, labels without positives or negatives, one clip, one label."""
    clips, labels = draw(st.integers(1, 12)), draw(st.integers(1, 6))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if single_label:
        targets = np.eye(labels, dtype=bool)[generator.integers(0, labels, clips)]
    else:
        targets = generator.random((clips, labels)) < draw(st.sampled_from([0.1, 0.4, 0.9, 1.0]))
        targets[0, 0] = True
    steps = draw(st.sampled_from([1, 3, 20, 10_000]))
    scores = generator.integers(0, steps + 1, (clips, labels)) / steps
    scores = scores.astype(draw(st.sampled_from([np.float16, np.float32, np.float64])))
    distances = np.triu(generator.integers(1, 8, (labels, labels)), 1)
    return Case(scores, targets, (distances + distances.T).astype(np.uint8))


@pytest.fixture(scope="session")
def cases() -> st.SearchStrategy[Case]:
    """Evaluations with any number of labels a clip, none too; at least one label in all."""
    return awkward(single_label=False)


@pytest.fixture(scope="session")
def single_label_cases() -> st.SearchStrategy[Case]:
    """Evaluations with one label a clip."""
    return awkward(single_label=True)
