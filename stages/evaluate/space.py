"""The labels that are judged, where they stand in the ontology, and how far apart they are."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ontology.build import build_ontology
from ontology.database import open_ontology
from ontology.distances import DistanceMatrix, distance_matrix
from ontology.paths import paths
from stages.artifacts import read_parquet
from stages.evaluate.labels import Labels, read_label_csv
from stages.reporter import Reporter


@dataclass(frozen=True)
class LabelSpace:
    """Labels by label_index.

    Attributes:
        labels: ids and names.
        distances: edges between them.
        paths: the names from a root of the ontology down to each.
        clips_train: how many training clips have each; None where that is not known.
    """

    labels: Labels
    distances: DistanceMatrix
    paths: tuple[tuple[str, ...], ...]
    clips_train: tuple[int, ...] | None


def space_of_workspace(workspace: Path, reporter: Reporter) -> LabelSpace:
    """Read the labels and the ontology of a workspace."""
    table = read_parquet(workspace / "labels.parquet", "labels").sort_by("label_index")
    labels = Labels(tuple(table["mid"].to_pylist()), tuple(table["display_name"].to_pylist()))
    clips_train = tuple(table["clips_train"].to_pylist())
    return _space(workspace / "ontology.duckdb", labels, clips_train, reporter)


def space_of_files(ontology_json: Path, label_csv: Path, reporter: Reporter) -> LabelSpace:
    """Read a list of labels, and an ontology in AudioSet's JSON form."""
    labels = read_label_csv(label_csv)
    with TemporaryDirectory(prefix="spa-ontology-") as folder:
        database = Path(folder, "ontology.duckdb")
        build_ontology(ontology_json, database)
        return _space(database, labels, None, reporter)


def _space(
    database: Path, labels: Labels, clips_train: tuple[int, ...] | None, reporter: Reporter
) -> LabelSpace:
    with open_ontology(database) as connection:
        distances = distance_matrix(connection, labels.mids)
        found = tuple(paths(connection, labels.mids))
    if distances.is_flat:
        reporter.warn(
            "OmAP is meaningless here: every label is as far from every other, since the ontology is"
            " flat or the labels are too few; mAP is what counts"
        )
    elif distances.disconnected_pairs:
        reporter.warn(
            f"{distances.disconnected_pairs} pairs of labels have no path between them in the ontology:"
            f" they are taken as {distances.values.max()} apart, one more than the largest distance"
        )
    return LabelSpace(labels, distances, found, clips_train)
