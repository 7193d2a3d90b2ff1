"""How well distances between texts follow the ontology, and which texts are nearly the same."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from stages.embed_labels.settings import NearDuplicate


def cosines(embeddings: NDArray[np.float32]) -> NDArray[np.float64]:
    """Cosine of every two rows of `embeddings`, `(labels, dimensions)` with rows of unit length.

    Returns:
        `(labels, labels)`, float64, in [-1, 1], to six decimals: float32 says no more, and equal
        texts should be equally far from others whatever batch they were embedded in.
    """
    exact = embeddings.astype(np.float64)
    cosine: NDArray[np.float64] = np.clip(exact @ exact.T, -1, 1).round(6)
    return cosine


def rank_correlation(cosine: NDArray[np.float64], distances: NDArray[np.number]) -> float | None:
    """Spearman correlation of `1 - cosine` with ontology distance, over all pairs of labels.

    Args:
        cosine: `(labels, labels)`, as `cosines` returns it.
        distances: `(labels, labels)`, edges between labels in the ontology.

    Returns:
        In [-1, 1], higher is better; None where it is not defined: fewer than three labels, or
        all distances of one kind alike.
    """
    pairs = np.triu_indices(len(cosine), k=1)
    text, tree = 1 - cosine[pairs], distances[pairs]
    if len(cosine) < 3 or np.ptp(text) == 0 or np.all(tree == tree[0]):
        return None
    return float(spearmanr(text, tree).statistic)


def near_duplicates(
    cosine: NDArray[np.float64], names: Sequence[str], least: float
) -> list[NearDuplicate]:
    """Pairs of labels whose `cosine`, `(labels, labels)`, is at least `least`.

    Most similar first; pairs that are equally similar in label order.
    """
    first, second = np.triu_indices(len(cosine), k=1)
    values = cosine[first, second]
    near = np.flatnonzero(values >= least)
    order = near[np.argsort(-values[near], kind="stable")]
    return [
        NearDuplicate(label=names[first[k]], other=names[second[k]], cosine=float(values[k]))
        for k in order
    ]
