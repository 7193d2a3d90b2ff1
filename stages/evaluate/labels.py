"""The labels that scores are for, in their order."""

import csv
from dataclasses import dataclass
from pathlib import Path

from stages.errors import ArtifactError

_COLUMNS = ("index", "mid", "display_name")
_FORM = f"give a CSV with the columns {','.join(_COLUMNS)}, as AudioSet's class_labels_indices.csv"


@dataclass(frozen=True)
class Labels:
    """Labels by label_index: their ids in the ontology, and their names for people."""

    mids: tuple[str, ...]
    display_names: tuple[str, ...]

    def __len__(self) -> int:
        """Count the labels."""
        return len(self.mids)


def read_label_csv(path: Path) -> Labels:
    """Read a list of labels as AudioSet publishes it: index, mid and display_name, by index.

    Raises:
        ArtifactError: not such a file, an index out of order, an empty or repeated mid.
    """
    labels = Labels(*_columns(path))
    seen: set[str] = set()
    for index, mid in enumerate(labels.mids):
        if not mid or mid in seen:
            what = f"repeats mid {mid!r}" if mid else "has no mid"
            raise ArtifactError(f"{path}: label {index} {what}", _FORM)
        seen.add(mid)
    return labels


def _columns(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    mids: list[str] = []
    names: list[str] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, skipinitialspace=True, strict=True)
            if not set(_COLUMNS) <= set(rows.fieldnames or ()):
                raise ArtifactError(f"{path} has the columns {rows.fieldnames}", _FORM)
            for row in rows:
                if (row["index"] or "").strip() != str(len(mids)):
                    raise ArtifactError(
                        f"{path} line {rows.line_num}: index {row['index']!r} where"
                        f" {len(mids)} is next; scores are in the order of the indices",
                        _FORM,
                    )
                mids.append((row["mid"] or "").strip())
                names.append((row["display_name"] or "").strip())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ArtifactError(f"{path} cannot be read as CSV: {error}", _FORM) from error
    if not mids:
        raise ArtifactError(f"{path} lists no labels", _FORM)
    return tuple(mids), tuple(names)
