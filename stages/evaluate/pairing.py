"""Bring one model or two onto the same clips, and say what was left out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.predictions import Predictions
from stages.evaluate.scores_file.wording import counted, quoted
from stages.evaluate.summary import Coverage


def pair(
    models: Sequence[Predictions], listed: tuple[str, ...] | None, labels: Labels
) -> tuple[tuple[Predictions, ...], Coverage | None]:
    """The predictions of all models for the same clips, in the order of the first: the evaluated one.

    With `listed`, for the clips that are listed and that every model has scored, and how much of the
    list that is; without, all clips, which must be the same. `labels` are those of every model.

    Raises:
        ArtifactError: no clip is left, models are over other clips, or they have other targets.
    """
    rows = [{clip_id: row for row, clip_id in enumerate(model.clip_ids)} for model in models]
    ours = models[0].clip_ids
    if listed is None:
        for other in models[1:]:
            _check_same_clips(models[0], other)
        kept = ours
    else:
        names = set(listed)
        kept = [clip_id for clip_id in ours if clip_id in names]
        kept = [clip_id for clip_id in kept if all(clip_id in found for found in rows)]
        if not kept:
            raise ArtifactError(
                _none_left(models, listed), "list clips by their clip_id in the scores"
            )
    places = [np.array([found[clip_id] for clip_id in kept], dtype=np.int64) for found in rows]
    taken = tuple(_take(model, place) for model, place in zip(models, places, strict=True))
    for other in taken[1:]:
        _check_same_targets(taken[0], other, labels)
    return taken, None if listed is None else _coverage(rows, listed, len(kept))


def _take(model: Predictions, rows: NDArray[np.int64]) -> Predictions:
    """Most often that is all clips as they stand: then nothing is copied."""
    same = np.array_equal(rows, np.arange(len(model.clip_ids)))
    return model if same else model.take(rows)


def _check_same_clips(ours: Predictions, theirs: Predictions) -> None:
    our_clips, their_clips = set(ours.clip_ids), set(theirs.clip_ids)
    if our_clips == their_clips:
        return
    common = len(our_clips & their_clips)
    lacking = [clip_id for clip_id in ours.clip_ids if clip_id not in their_clips]
    if lacking:
        first = f"clip {lacking[0]!r} of the first is not in the second"
    else:
        only_theirs = next(clip_id for clip_id in theirs.clip_ids if clip_id not in our_clips)
        first = f"clip {only_theirs!r} of the second is not in the first"
    raise ArtifactError(
        f"{ours.source} has {counted(len(our_clips), 'clip')}, {theirs.source} {len(their_clips)}, of which"
        f" {common} are in both: {first}",
        f"`--clips {theirs.source}` evaluates on those that both have"
        if common
        else "compare models that have scored the same clips",
    )


def _check_same_targets(ours: Predictions, theirs: Predictions, labels: Labels) -> None:
    differs = ours.targets != theirs.targets
    if differs.any():
        row, label = (int(place) for place in np.unravel_index(np.argmax(differs), differs.shape))
        having, lacking = (ours, theirs) if ours.targets[row, label] else (theirs, ours)
        clips = counted(int(np.count_nonzero(differs.any(axis=1))), "clip")
        raise ArtifactError(
            f"the targets of {clips} differ: clip {ours.clip_ids[row]!r} has label {label},"
            f" {labels.mids[label]!r} ({labels.display_names[label]}), in {having.source}, not in"
            f" {lacking.source}",
            "compare models on the same targets",
        )


def _none_left(models: Sequence[Predictions], listed: tuple[str, ...]) -> str:
    scored = ", ".join(f"{model.source} ({quoted(model.clip_ids[0])}, ...)" for model in models)
    everyone = "scored in" if len(models) == 1 else "scored in each of"
    clips = counted(len(listed), "listed clip")
    return f"none of the {clips} ({quoted(listed[0])}, ...) is {everyone} {scored}"


def _coverage(rows: list[dict[str, int]], listed: tuple[str, ...], evaluated: int) -> Coverage:
    names = set(listed)
    unscored = [len(names.difference(found)) for found in rows]
    return Coverage(
        listed=len(names),
        evaluated=evaluated,
        unscored=unscored[0],
        unscored_by_other=unscored[1] if len(unscored) > 1 else None,
        not_listed=len(rows[0].keys() - names),
        share=evaluated / len(names),
    )
