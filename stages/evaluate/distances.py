"""How far apart the labels are, from a workspace's ontology or from a JSON file."""

from pathlib import Path
from tempfile import TemporaryDirectory

from ontology.build import build_ontology
from ontology.database import open_ontology
from ontology.distances import DistanceMatrix, distance_matrix
from stages.evaluate.labels import Labels
from stages.reporter import Reporter


def distances_in_workspace(workspace: Path, labels: Labels, reporter: Reporter) -> DistanceMatrix:
    """Distances between the labels in the workspace's ontology."""
    return _distances(workspace / "ontology.duckdb", labels, reporter)


def distances_in_json(ontology_json: Path, labels: Labels, reporter: Reporter) -> DistanceMatrix:
    """Distances between the labels in an ontology in AudioSet's JSON form."""
    with TemporaryDirectory(prefix="spa-ontology-") as folder:
        database = Path(folder, "ontology.duckdb")
        build_ontology(ontology_json, database)
        return _distances(database, labels, reporter)


def _distances(database: Path, labels: Labels, reporter: Reporter) -> DistanceMatrix:
    with open_ontology(database) as connection:
        matrix = distance_matrix(connection, labels.mids)
    if matrix.is_flat:
        reporter.warn(
            "OmAP is meaningless here: every label is as far from every other, since the ontology is"
            " flat or the labels are too few; mAP is what counts"
        )
    elif matrix.disconnected_pairs:
        reporter.warn(
            f"{matrix.disconnected_pairs} pairs of labels have no path between them in the ontology:"
            f" they are taken as {matrix.values.max()} apart, one more than the largest distance"
        )
    return matrix
