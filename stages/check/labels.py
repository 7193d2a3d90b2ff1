"""Check labels.parquet by itself, against the clips and against the ontology."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ontology.database import check_known, open_ontology
from ontology.errors import OntologyError
from stages.artifacts import read_parquet
from stages.check.findings import Findings
from stages.check.queries import rows
from stages.check.tables import SPLITS


@dataclass(frozen=True)
class Label:
    """A row of labels.parquet. `clips` is how many it says to have in train, valid and eval."""

    mid: str
    clips: tuple[int, int, int]


def read_labels(path: Path, findings: Findings) -> tuple[Label, ...]:
    """All labels; they are few. Checks that their indices are 0, 1, ... and their ids unique."""
    columns = read_parquet(path, "labels").to_pydict()
    indices, mids = columns["label_index"], columns["mid"]
    if indices != list(range(len(indices))):
        row = next(row for row, index in enumerate(indices) if row != index)
        what = f"row {row} ({mids[row]!r}) has the label_index {indices[row]}"
        findings.add("labels.parquet", what)
    for mid, count in Counter(mids).items():
        if count > 1:
            findings.add("labels.parquet", f"the label {mid!r} occurs {count} times")
    counts = zip(*(columns[f"clips_{split}"] for split in SPLITS), strict=True)
    return tuple(Label(mid, clips) for mid, clips in zip(mids, counts, strict=True))


def check_labels_of_clips(
    connection: duckdb.DuckDBPyConnection, clips: Path, labels: Sequence[Label], findings: Findings
) -> None:
    """Check label_indices and mids of every clip, and the numbers of clips in labels.parquet."""
    mids = [label.mid for label in labels]
    for clip_id, indices, named in rows(connection, "wrong_labels.sql", clips, label_mids=mids):
        what = f"label_indices {indices} and mids {named} of {clip_id!r}"
        findings.add("clips.parquet", f"{what} do not agree with labels.parquet")
    found = {index: clips for index, *clips in rows(connection, "clips_by_label.sql", clips)}
    for index, label in enumerate(labels):
        pairs = zip(SPLITS, label.clips, found.get(index, (0, 0, 0)), strict=True)
        for split, stated, there in pairs:
            if stated != there:
                what = f"clips_{split} of {label.mid!r} is {stated}; clips.parquet has {there}"
                findings.add("labels.parquet", what)


def check_ontology(database: Path, labels: Sequence[Label], findings: Findings) -> None:
    """Check that the ontology opens and has a node for every label."""
    try:
        with open_ontology(database) as ontology:
            check_known(ontology, [label.mid for label in labels])
    except OntologyError as error:
        findings.add(database.name, str(error).removeprefix(f"ontology database {database} "))
