"""Scores of clips and what is true of them, from any file that has both."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.errors import UsageError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.columns import check_finite
from stages.evaluate.scores_file.csv_file import read_csv_scores
from stages.evaluate.scores_file.npz import read_npz_scores
from stages.evaluate.scores_file.parquet import read_parquet_scores
from stages.evaluate.scores_file.wording import check_readable

_READERS = {
    ".parquet": read_parquet_scores,
    ".pq": read_parquet_scores,
    ".csv": read_csv_scores,
    ".tsv": read_csv_scores,
    ".npz": read_npz_scores,
}


@dataclass(frozen=True)
class Predictions:
    """What was predicted for each clip, and what is true.

    Attributes:
        source: where the scores are from, for messages.
        clip_ids: the clips, each once.
        scores: (clips, labels) floating point.
        targets: (clips, labels) boolean.
        groups: what each clip was made from, where that was asked for.
        unknown: ids of the labels that the model does not know: their scores are 0.
    """

    source: str
    clip_ids: list[str]
    scores: NDArray[Any]
    targets: NDArray[np.bool_]
    groups: list[str] | None = None
    unknown: tuple[str, ...] = ()

    def take(self, rows: NDArray[np.int64]) -> "Predictions":
        """The predictions of the clips at `rows`, in that order."""
        clip_ids = [self.clip_ids[row] for row in rows]
        groups = None if self.groups is None else [self.groups[row] for row in rows]
        scores, targets = self.scores[rows], self.targets[rows]
        return Predictions(self.source, clip_ids, scores, targets, groups, self.unknown)


def read_predictions(path: Path, labels: Labels, group_by: str | None = None) -> Predictions:
    """Read clip_id, scores and targets, and the column `group_by`, from Parquet, CSV, TSV or npz.

    Scores of floating point keep their precision, since a cast could make ties; whole numbers and
    booleans, as of a model that only decides, and those of a text are float64.

    Raises:
        UsageError: a file whose suffix is none of these; groups by scores or targets.
        ArtifactError: the file is not there, is broken or lacks something; a score is missing, NaN or
            infinite; a clip has too many or too few, no clip_id or one that another has; a target that
            is no label or is there twice; labels that the file states and that are not `labels`, in order;
            no clip at all; more scores than memory can be expected to hold.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(
            f"{path} is none of the files of scores that can be read: {', '.join(_READERS)}",
            "name a file whose suffix says what it is",
        )
    if group_by in {"scores", "targets"}:
        raise UsageError(
            f"--group-by {group_by}: clips cannot be grouped by that", "name a column of its own"
        )
    check_readable(path)
    columns = reader(path, labels, group_by)
    check_finite(path, columns.clip_ids, columns.scores, labels)
    return Predictions(str(path), columns.clip_ids, columns.scores, columns.targets, columns.groups)
