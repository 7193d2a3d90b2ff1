"""The labels that the published heads are of."""

import csv
from pathlib import Path

from stages.models.audioset_labels import audioset_labels


def test_the_527_labels_are_googles_in_googles_order(shared: Path) -> None:
    path = shared / "data" / "audioset" / "class_labels_indices.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = audioset_labels()
    assert labels.mids == tuple(row["mid"] for row in rows)
    assert labels.display_names == tuple(row["display_name"] for row in rows)
    assert len(set(labels.mids)) == 527
