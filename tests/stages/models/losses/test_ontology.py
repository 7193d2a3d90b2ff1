"""OBCE against the authors' numbers, against a plain loop, and by its gradient."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ontology.build import build_ontology
from ontology.database import open_ontology
from ontology.distances import distance_matrix
from stages.models.audioset_labels import audioset_labels
from stages.models.losses.classification import cross_entropy_cells
from stages.models.losses.ontology import ontology_cross_entropy, ontology_weights


@pytest.fixture(scope="module")
def distances(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> torch.Tensor:
    database = tmp_path_factory.mktemp("ontology") / "ontology.duckdb"
    build_ontology(shared / "data" / "audioset" / "ontology.json", database)
    with open_ontology(database) as connection:
        return torch.from_numpy(distance_matrix(connection, audioset_labels().mids).values)


def test_the_authors_numbers(shared: Path, distances: torch.Tensor) -> None:
    """haoheliu/ontology-aware-audio-tagging on 16 clips, with the scores as probabilities."""
    golden = json.loads((shared / "golden" / "omap" / "obce.json").read_text())
    inputs = np.load(shared / "golden" / "omap" / "inputs.npz")
    targets = torch.from_numpy(inputs["targets"][: golden["rows"]]).double()
    scores = torch.from_numpy(inputs["scores"][: golden["rows"]]).double()
    weights = ontology_weights(targets, distances)
    assert weights.sum().item() == pytest.approx(golden["weight_sum"], rel=1e-6)
    assert weights.max().item() == pytest.approx(golden["weight_max"], rel=1e-6)
    cells = cross_entropy_cells(torch.logit(scores), targets)
    loss = ontology_cross_entropy(cells, targets, distances)
    assert loss.item() == pytest.approx(golden["OBCE"], abs=1e-7)


def naive_weights(targets: np.ndarray, distances: np.ndarray) -> np.ndarray:
    weights = np.zeros(targets.shape)
    for clip, row in enumerate(targets):
        own = np.flatnonzero(row)
        for label in range(targets.shape[1]):
            apart = [distances[label, other] for other in own if other != label]
            weights[clip, label] = min(apart, default=0)
        largest = weights[clip].max()
        if largest == 0:
            weights[clip] = 1
        else:
            weights[clip] /= largest
            weights[clip, own] = 1
    return weights / weights.mean()


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 7), st.floats(0, 1))
def test_weights_equal_a_plain_loop(seed: int, clips: int, labels: int, share: float) -> None:
    """Distances of points on a line; clips without labels and with all, one label, mixed targets."""
    rng = np.random.default_rng(seed)
    places = rng.permutation(3 * labels)[:labels]
    distances = np.abs(places[:, None] - places[None])
    targets = (rng.random((clips, labels)) < share) * rng.choice([1.0, 0.3], (clips, labels))
    found = ontology_weights(torch.from_numpy(targets), torch.from_numpy(distances))
    np.testing.assert_allclose(found.numpy(), naive_weights(targets, distances), rtol=1e-5)


def test_equally_distant_labels_give_the_plain_loss() -> None:
    generator = torch.Generator().manual_seed(0)
    targets = torch.eye(5)[:4]
    cells = cross_entropy_cells(torch.randn(4, 5, generator=generator), targets)
    distances = 2 * (1 - torch.eye(5, dtype=torch.int64))
    torch.testing.assert_close(ontology_cross_entropy(cells, targets, distances), cells.mean())


def test_the_gradient_is_the_numerical_one() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([[1.0, 0, 0, 0], [0, 0.7, 0, 0.3], [0, 0, 0, 0]], dtype=torch.float64)
    distances = torch.tensor([[0, 1, 2, 5], [1, 0, 3, 4], [2, 3, 0, 6], [5, 4, 6, 0]])

    def loss(logits: torch.Tensor) -> torch.Tensor:
        return ontology_cross_entropy(cross_entropy_cells(logits, targets), targets, distances)

    assert torch.autograd.gradcheck(loss, (logits,))


@given(st.integers(0, 2**32 - 1), st.integers(2, 7))
def test_the_order_of_the_labels_does_not_matter(seed: int, labels: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    cells = torch.rand(4, labels, generator=generator)
    targets = (torch.rand(4, labels, generator=generator) < 0.4).float()
    distances = torch.randint(1, 9, (labels, labels), generator=generator).triu(1)
    distances = distances + distances.T
    order = torch.randperm(labels, generator=generator)
    torch.testing.assert_close(
        ontology_cross_entropy(cells[:, order], targets[:, order], distances[order][:, order]),
        ontology_cross_entropy(cells, targets, distances),
    )
