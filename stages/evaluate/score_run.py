"""Let a trained model score the clips of a split."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stages.artifacts import read_parquet
from stages.audio.rate_mismatch import rate_warning
from stages.audio.store import AudioStore
from stages.context import StageContext
from stages.errors import SpaError, UsageError
from stages.evaluate.judged_model import JudgedModel, open_judged
from stages.evaluate.kept_scores import kept_scores
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.predictions import Predictions
from stages.evaluate.settings import EvaluateSettings
from stages.metrics.inputs import multi_hot
from stages.models.scoring import score_clips


def score_run(settings: EvaluateSettings, labels: Labels, context: StageContext) -> Predictions:
    """Score every clip of `settings.split` with the run's model, or the one that is named.

    Raises:
        SpaError: no clip in the split; or the model is not for these labels (`open_judged`).
    """
    workspace = context.workspace
    model = open_judged(settings, labels, context)
    clips = _clips_of(settings.split, workspace)
    groups = _groups(settings.group_by, clips)
    clip_ids = clips["clip_id"].to_pylist()
    scores = kept_scores(settings, labels, clip_ids, context)
    if scores is None:
        scores = model.for_labels(_scores(model, clips, settings, context))
    indices = clips["label_indices"].combine_chunks()
    lengths = pc.list_value_length(indices).to_numpy(zero_copy_only=False)
    targets = multi_hot(lengths, indices.flatten().to_numpy(zero_copy_only=False), len(labels))
    return Predictions(model.source, clip_ids, scores, targets, groups, model.unknown(labels))


def _clips_of(split: str, workspace: Path) -> pa.Table:
    clips = read_parquet(workspace / "clips.parquet", "clips")
    chosen = clips.filter(pc.equal(clips["split"], split))
    if not chosen.num_rows:
        raise SpaError(
            f"{workspace / 'clips.parquet'} has no clip in the split '{split}'",
            "evaluate another --split, or prepare with other folds",
        )
    return chosen


def _scores(
    model: JudgedModel, clips: pa.Table, settings: EvaluateSettings, context: StageContext
) -> NDArray[np.float32]:
    """Let the model hear every clip: scores (clips, outputs)."""
    hears = model.checkpoint.header.sample_rate
    store = AudioStore(context.workspace / "audio", hears)
    places = list(zip(clips["shard"].to_pylist(), clips["row"].to_pylist(), strict=True))
    if warning := rate_warning(store.sample_rate(*places[0]), hears, f"model {model.source}"):
        context.reporter.warn(warning)
    waveforms = (store.read(shard, row) for shard, row in places)
    with context.reporter.task("score", len(places)) as task:
        scores = []
        for clip_scores in score_clips(model.checkpoint, waveforms, settings.batch_size):
            scores.append(clip_scores)
            task.advance()
    return np.stack(scores).astype(np.float32)


def _groups(group_by: str | None, clips: pa.Table) -> list[str] | None:
    """What each clip has in the column `group_by`."""
    if group_by is None:
        return None
    kinds = {field.name: field.type for field in clips.schema}
    fit = [name for name, kind in kinds.items() if kind in {pa.string(), pa.int32()}]
    if group_by not in fit:
        raise UsageError(
            f"--group-by {group_by}: clips.parquet has no such column to group by",
            f"choose one of {', '.join(fit)}",
        )
    if clips[group_by].null_count:
        clip = clips["clip_id"][pc.index(pc.is_null(clips[group_by]), value=True).as_py()]
        raise UsageError(
            f"--group-by {group_by}: clip {clip.as_py()!r} has none", "group by another column"
        )
    groups: list[str] = clips[group_by].cast(pa.string()).to_pylist()
    return groups
