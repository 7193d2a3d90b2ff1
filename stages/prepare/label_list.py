"""A published label list: which labels, and in which order."""

from pathlib import Path

from stages.errors import ArtifactError
from stages.prepare.csv_file import read_table
from stages.prepare.listing import Label


def read_label_list(path: Path) -> tuple[Label, ...]:
    """Read a CSV of `index,mid,display_name`; the order is that of the index.

    Raises:
        ArtifactError: it cannot be read, an index is not one of 0, 1, 2 ... in order, or a mid is
            there twice.
    """
    labels: dict[str, Label] = {}
    for line, row in read_table(path, ("index", "mid", "display_name")):
        where = f"{path} line {line}"
        if row is None:
            raise ArtifactError(f"{where} has too few fields")
        if row["index"] != str(len(labels)):
            raise ArtifactError(f"{where} has the index {row['index']!r}, not {len(labels)}")
        if not row["mid"] or row["mid"] in labels:
            raise ArtifactError(f"{where}: the mid {row['mid']!r} is empty or there twice")
        labels[row["mid"]] = Label(row["mid"], row["display_name"])
    if not labels:
        raise ArtifactError(f"{path} has no labels")
    return tuple(labels.values())
