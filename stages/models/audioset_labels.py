"""AudioSet's 527 labels in their canonical order: what the heads of the published checkpoints mean."""

import csv
from dataclasses import dataclass
from pathlib import Path

AUDIOSET_LABELS = Path(__file__).with_name("audioset_labels.csv")
"""index, mid, display_name, as Google published them (class_labels_indices.csv, CC BY 4.0)."""


@dataclass(frozen=True)
class AudioSetLabels:
    """Ids and names; output i of a published head is entry i of both."""

    mids: tuple[str, ...]
    display_names: tuple[str, ...]


def audioset_labels() -> AudioSetLabels:
    """Read the list that is part of this package."""
    with AUDIOSET_LABELS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return AudioSetLabels(
        tuple(row["mid"] for row in rows), tuple(row["display_name"] for row in rows)
    )
