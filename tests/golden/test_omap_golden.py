"""OmAP against numbers of the public reference code (haoheliu/ontology-aware-audio-tagging).

`golden/omap` in the shared data holds 200 clips with 527 AudioSet labels, and what the reference,
run with scikit-learn 1.3.2, found for all 22 coarse levels and every label.
"""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ontology.build import build_ontology
from ontology.database import open_ontology
from ontology.distances import distance_matrix
from stages.metrics.omap import ontology_average_precision
from stages.metrics.ranking import rank


@pytest.fixture(scope="module")
def found(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    database = tmp_path_factory.mktemp("omap") / "ontology.duckdb"
    audioset = shared / "data" / "audioset"
    build_ontology(audioset / "ontology.json", database)
    with (audioset / "class_labels_indices.csv").open(encoding="utf-8", newline="") as file:
        mids = [row["mid"] for row in csv.DictReader(file)]
    with open_ontology(database) as connection:
        distances = distance_matrix(connection, mids).values
    inputs = np.load(shared / "golden" / "omap" / "inputs.npz")
    return ontology_average_precision(rank(inputs["scores"], inputs["targets"], distances))


def test_every_label_at_every_level(found: np.ndarray, shared: Path) -> None:
    expected = np.load(shared / "golden" / "omap" / "expected.npz")["ap"]
    assert found.shape == expected.shape == (22, 527)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_levels_and_their_mean(found: np.ndarray, shared: Path) -> None:
    expected = json.loads((shared / "golden" / "omap" / "expected.json").read_text())
    np.testing.assert_allclose(
        found.mean(axis=1), expected["OmAP_by_coarse_level"], rtol=0, atol=1e-9
    )
    assert found.mean() == pytest.approx(expected["OmAP"], abs=1e-9)
