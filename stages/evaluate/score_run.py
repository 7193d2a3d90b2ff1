"""Let a trained model score the clips of a split."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stages.artifacts import read_parquet
from stages.audio.store import AudioStore
from stages.context import StageContext
from stages.errors import ArtifactError, SpaError, UsageError
from stages.evaluate.kept_scores import kept_scores
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.predictions import Predictions
from stages.evaluate.settings import EvaluateSettings
from stages.metrics.inputs import multi_hot
from stages.models.checkpoint import Checkpoint, load_checkpoint
from stages.models.devices import choose_device
from stages.models.scoring import score_clips


def score_run(settings: EvaluateSettings, labels: Labels, context: StageContext) -> Predictions:
    """Score every clip of `settings.split` with the run's model.

    Raises:
        SpaError: no clip in the split; or the model is for other labels or another sample rate.
    """
    workspace = context.workspace
    path = workspace / "runs" / str(settings.name) / "model.safetensors"
    checkpoint = load_checkpoint(path, choose_device(settings.device))
    _check_labels(path, checkpoint.header.mids, labels)
    _warn_of_other_clips(path, checkpoint.header.lineage, context)
    clips = _clips_of(settings.split, workspace)
    groups = _groups(settings.group_by, clips)
    clip_ids = clips["clip_id"].to_pylist()
    scores = kept_scores(settings, labels, clip_ids, context)
    if scores is None:
        scores = _scores(path, checkpoint, clips, settings, context)
    indices = clips["label_indices"].combine_chunks()
    lengths = pc.list_value_length(indices).to_numpy(zero_copy_only=False)
    targets = multi_hot(lengths, indices.flatten().to_numpy(zero_copy_only=False), len(labels))
    return Predictions(str(path), clip_ids, scores, targets, groups)


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
    path: Path,
    checkpoint: Checkpoint,
    clips: pa.Table,
    settings: EvaluateSettings,
    context: StageContext,
) -> NDArray[np.float32]:
    """Let the model hear every clip: scores (clips, labels)."""
    store = AudioStore(context.workspace / "audio")
    places = list(zip(clips["shard"].to_pylist(), clips["row"].to_pylist(), strict=True))
    _check_sample_rate(path, checkpoint, store.sample_rate(*places[0]))
    waveforms = (store.read(shard, row) for shard, row in places)
    with context.reporter.task("score", len(places)) as task:
        scores = []
        for clip_scores in score_clips(checkpoint, waveforms, settings.batch_size):
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


def _check_labels(path: Path, mids: tuple[str, ...], labels: Labels) -> None:
    """Refuse a model whose outputs are not the workspace's labels, in their order."""
    if mids == labels.mids:
        return
    same = (a == b for a, b in zip(mids, labels.mids, strict=False))
    first = next((index for index, equal in enumerate(same) if not equal), None)
    if first is None:
        what = f"it has {len(mids)} labels, the workspace {len(labels)}"
    else:
        what = f"its label {first} is {mids[first]!r}, the workspace's {labels.mids[first]!r}"
    raise ArtifactError(
        f"{path} was trained for other labels: {what}",
        "evaluate it in the workspace that it was trained in, or train again",
    )


def _warn_of_other_clips(path: Path, lineage: str, context: StageContext) -> None:
    """The splits may have changed since: clips that it was trained on may be among those scored."""
    trained_on = json.loads(lineage).get("inputs", {}).get("clips.parquet")
    if trained_on != context.lineage.inputs["clips.parquet"]:
        context.reporter.warn(
            f"{path} was trained on another clips.parquet than the workspace now has: clips that it "
            "has been trained on may be among those that it is judged by"
        )


def _check_sample_rate(path: Path, checkpoint: Checkpoint, sample_rate: int) -> None:
    hears = checkpoint.header.sample_rate
    if hears != sample_rate:
        raise ArtifactError(
            f"{path} hears {hears} Hz, the workspace's audio is at {sample_rate} Hz",
            f"prepare again with --sample-rate {hears}",
        )
