"""Scores from an npz file of numpy."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.columns import Columns, check_clip_ids, check_size, targets_of
from stages.evaluate.scores_file.label_order import check_label_order
from stages.evaluate.scores_file.npz_arrays import Header, NpzArrays, open_npz
from stages.evaluate.scores_file.wording import counted, group_step, listed

_FORM = (
    "give the arrays clip_id (clips,), scores (clips, labels), and targets: 0 or 1, (clips, labels),"
    " or where every clip has one label its index, (clips,)"
)
_OWN = {"clip_id", "scores", "targets", "labels"}
_NAMES = "USiu"  # kinds of numpy's types: text, bytes and whole numbers


def read_npz_scores(path: Path, labels: Labels, group_by: str | None) -> Columns:
    """Read clip_id, scores and targets, and the labels where the file states them.

    Raises:
        ArtifactError: see `read_predictions`.
    """
    with open_npz(path) as arrays:
        clip_ids = _texts(path, arrays, "clip_id")
        check_clip_ids(path, clip_ids)  # before memory is taken for the scores of so many
        if "labels" in arrays.names:
            check_label_order(path, _texts(path, arrays, "labels"), labels)
        scores = _scores(path, arrays, len(clip_ids), labels)
        targets = _targets(path, arrays, clip_ids, labels)
        groups = None if group_by is None else _groups(path, arrays, clip_ids, group_by)
    return Columns(clip_ids, scores, targets, groups)


def read_npz_clip_ids(path: Path) -> list[str]:
    """Read the array clip_id.

    Raises:
        ArtifactError: no npz file, or no such array of text or whole numbers.
    """
    with open_npz(path) as arrays:
        return _texts(path, arrays, "clip_id")


def _groups(path: Path, arrays: NpzArrays, clip_ids: list[str], name: str) -> list[str]:
    """The array that clips are grouped by: one text or whole number a clip."""
    clips = len(clip_ids)
    what = None
    if arrays.names.count(name) != 1:
        what = f"{path} has the arrays {listed(arrays.names)}, not one {name!r}"
    elif not _is_one_a_clip(header := arrays.header(name), clips):
        what = (
            f"{path}: array {name!r} is {header.dtype} of shape {header.shape};"
            f" one text or whole number for each of {counted(clips, 'clip')} is needed"
        )
    if what is not None:
        raise ArtifactError(what, group_step(_possible_groups(arrays, clips)))
    groups = _texts(path, arrays, name)
    if "" in groups:
        clip_id = clip_ids[groups.index("")]
        raise ArtifactError(f"{path}: clip {clip_id!r} has no {name}", "give every clip a group")
    return groups


def _is_one_a_clip(header: Header, clips: int) -> bool:
    return header.dtype.kind in _NAMES and header.shape == (clips,)


def _possible_groups(arrays: NpzArrays, clips: int) -> list[str]:
    """The arrays that clips can be grouped by; one that cannot be read is none."""
    possible = []
    for name in dict.fromkeys(arrays.names):
        with suppress(ArtifactError):
            if name not in _OWN and _is_one_a_clip(arrays.header(name), clips):
                possible.append(name)
    return possible


def _texts(path: Path, arrays: NpzArrays, name: str) -> list[str]:
    """An array of text, of UTF-8 or of whole numbers, as text."""
    array = arrays.read(name)
    if array.ndim != 1 or array.dtype.kind not in _NAMES:
        raise ArtifactError(
            f"{path}: array {name!r} is {array.dtype} of shape {array.shape}",
            "give one text or whole number a clip (of labels: one mid or name a label)",
        )
    try:
        values = array.tolist()
        return [v.decode() if isinstance(v, bytes) else str(v) for v in values]
    except ValueError as error:  # code points beyond Unicode, or bytes that are no UTF-8
        raise ArtifactError(
            f"{path}: array {name!r} holds what is no Unicode text", "write it again as text"
        ) from error


def _scores(path: Path, arrays: NpzArrays, clips: int, labels: Labels) -> NDArray[Any]:
    _check_shape(path, arrays, "scores", (clips, len(labels)))
    check_size(path, clips, len(labels), 1)
    scores = arrays.read("scores")
    if scores.dtype.kind not in "fiub":
        raise ArtifactError(f"{path}: array 'scores' is {scores.dtype}, not numbers", _FORM)
    return scores if scores.dtype.kind == "f" else scores.astype(np.float64)


def _targets(
    path: Path, arrays: NpzArrays, clip_ids: list[str], labels: Labels
) -> NDArray[np.bool_]:
    clips = len(clip_ids)
    one_a_clip = len(arrays.header("targets").shape) == 1
    _check_shape(path, arrays, "targets", (clips,) if one_a_clip else (clips, len(labels)))
    targets = arrays.read("targets")
    if targets.dtype.kind not in ("iu" if one_a_clip else "fiub"):
        raise ArtifactError(f"{path}: array 'targets' is {targets.dtype} {targets.shape}", _FORM)
    if one_a_clip:
        return targets_of(path, clip_ids, np.ones(clips, np.int64), targets, labels)
    binary = np.asarray(targets == 1, dtype=np.bool_)
    other = ~binary & (targets != 0)
    if other.any():
        clip, label = (int(place) for place in np.unravel_index(np.argmax(other), other.shape))
        raise ArtifactError(
            f"{path}: clip {clip_ids[clip]!r} has target {targets[clip, label]} for label {label}"
            f" ({labels.mids[label]!r}), not 0 or 1",
            _FORM,
        )
    return binary


def _check_shape(path: Path, arrays: NpzArrays, name: str, shape: tuple[int, ...]) -> None:
    found = arrays.header(name).shape
    if found != shape:
        raise ArtifactError(
            f"{path}: array {name!r} has shape {found}, where {shape} is needed for"
            f" {counted(shape[0], 'clip')}"
            + (f" and {counted(shape[1], 'label')}" if len(shape) > 1 else ""),
            _FORM,
        )
