"""What a file of scores holds, whatever its format, and what must be true of it."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.wording import counted
from stages.metrics.inputs import MetricInputError, check_scores, multi_hot

# AudioSet's two million training clips take half of it as float32.
MOST_SCORE_BYTES = 1 << 33
MOST_NAME_CHARS = 4096


@dataclass(frozen=True)
class Columns:
    """The columns of a file: clip_ids, scores (clips, labels), targets (clips, labels), groups."""

    clip_ids: list[str]
    scores: NDArray[Any]
    targets: NDArray[np.bool_]
    groups: list[str] | None


def check_clip_ids(path: Path, clip_ids: list[str]) -> None:
    """Check that there are clips, each with a name of its own.

    Raises:
        ArtifactError: no clip, a name that is empty, no Unicode text, beyond all measure or there twice.
    """
    if not clip_ids:
        raise ArtifactError(f"{path} has no clips", "give one row a clip")
    for row, clip_id in enumerate(clip_ids):
        if not clip_id:
            raise ArtifactError(f"{path}: row {row} has no clip_id", "give every clip a clip_id")
        if len(clip_id) > MOST_NAME_CHARS:
            raise ArtifactError(
                f"{path}: row {row} has a clip_id of {len(clip_id)} characters",
                f"name clips in at most {MOST_NAME_CHARS}",
            )
        if not _is_unicode(clip_id):
            raise ArtifactError(
                f"{path}: row {row} has the clip_id {clip_id!r}, which is no Unicode text",
                "give every clip a clip_id that can be written as UTF-8",
            )
    if len(set(clip_ids)) < len(clip_ids):
        twice = next(name for name, times in Counter(clip_ids).items() if times > 1)
        raise ArtifactError(f"{path}: clip_id {twice!r} is there twice", "keep each clip once")


def _is_unicode(text: str) -> bool:
    """Whether it is free of half a surrogate pair, which no file or page can hold."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def check_size(path: Path, clips: int, labels: int, score_bytes: int) -> None:
    """Check that the scores of so many clips, of so many bytes each, can be held in memory.

    Raises:
        ArtifactError: they would take more than `MOST_SCORE_BYTES`.
    """
    if clips * labels * score_bytes > MOST_SCORE_BYTES:
        raise ArtifactError(
            f"{path} has {counted(clips, 'clip')} of {counted(labels, 'label')}: scores of"
            f" {score_bytes} bytes each would take more than {MOST_SCORE_BYTES >> 30} GiB",
            "give the scores as 32-bit floating point, or fewer clips",
        )


def check_width(path: Path, clip_id: str, scores: int, labels: int) -> None:
    """Check that a clip has as many scores as there are labels.

    Raises:
        ArtifactError: naming the clip.
    """
    if scores != labels:
        raise ArtifactError(
            f"{path}: clip {clip_id!r} has {counted(scores, 'score')} for {counted(labels, 'label')}",
            "give one score a label, in the order of the labels",
        )


def targets_of(
    path: Path,
    clip_ids: list[str],
    lengths: NDArray[np.integer[Any]],
    indices: NDArray[np.integer[Any]],
    labels: Labels,
) -> NDArray[np.bool_]:
    """Targets (clips, labels) from each clip's number of labels and all label indices.

    Raises:
        ArtifactError: an index that no label has, or that is there twice, naming the clip; targets
            that are no indices but 0 or 1 for each label.
    """
    try:
        return multi_hot(lengths, indices, len(labels))
    except MetricInputError as error:
        clip = error.clip or 0
        first = int(lengths[:clip].sum())
        theirs = indices[first : first + int(lengths[clip])]
        if len(theirs) == len(labels) and ((theirs == 0) | (theirs == 1)).all():
            raise ArtifactError(
                f"{path}: the targets of clip {clip_ids[clip]!r} look like 0 or 1 for each of the"
                f" {counted(len(labels), 'label')}, not like the indices of its labels",
                "give the indices of the ones, as row.nonzero()[0]; npz takes 0 or 1",
            ) from error
        next_step = "give as targets the indices of the clip's labels, each once"
        raise _named(path, error, clip_ids, labels, next_step) from error


def check_finite(path: Path, clip_ids: list[str], scores: NDArray[Any], labels: Labels) -> None:
    """Check that scores (clips, labels) are finite.

    Raises:
        ArtifactError: naming the first clip and label that has NaN or an infinite score.
    """
    try:
        check_scores(scores)
    except MetricInputError as error:
        raise _named(path, error, clip_ids, labels, "give finite scores") from error


def _named(
    path: Path, error: MetricInputError, clip_ids: list[str], labels: Labels, next_step: str
) -> ArtifactError:
    """The same error with the names of the clip and the label that it is about."""
    named = [] if error.clip is None else [f"clip_id {clip_ids[error.clip]!r}"]
    if error.label is not None:
        named.append(f"label {labels.mids[error.label]!r}")
    where = f" ({', '.join(named)})" if named else ""
    return ArtifactError(f"{path}: {error.message}{where}", next_step)
