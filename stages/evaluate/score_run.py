"""Let a trained model score the clips of a split."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.artifacts import read_parquet, write_parquet
from stages.audio.store import AudioStore
from stages.context import StageContext
from stages.errors import ArtifactError, SpaError
from stages.evaluate.labels import Labels
from stages.evaluate.predictions import Predictions
from stages.evaluate.settings import EvaluateSettings
from stages.lineage import Lineage
from stages.metrics.inputs import multi_hot
from stages.models.checkpoint import Checkpoint, load_checkpoint
from stages.models.devices import choose_device
from stages.models.scoring import score_clips
from stages.schemas import SCORES


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
    clips = read_parquet(workspace / "clips.parquet", "clips")
    clips = clips.filter(pc.equal(clips["split"], settings.split))
    if not clips.num_rows:
        raise SpaError(
            f"{workspace / 'clips.parquet'} has no clip in the split '{settings.split}'",
            "evaluate another --split, or prepare with other folds",
        )
    store = AudioStore(workspace / "audio")
    places = list(zip(clips["shard"].to_pylist(), clips["row"].to_pylist(), strict=True))
    _check_sample_rate(path, checkpoint, store.sample_rate(*places[0]))
    waveforms = (store.read(shard, row) for shard, row in places)
    scores = np.empty((len(places), len(labels)), dtype=np.float32)
    with context.reporter.task("score", len(places)) as task:
        for row, clip_scores in enumerate(score_clips(checkpoint, waveforms, settings.batch_size)):
            scores[row] = clip_scores
            task.advance()
    indices = clips["label_indices"].combine_chunks()
    lengths = pc.list_value_length(indices).to_numpy(zero_copy_only=False)
    targets = multi_hot(lengths, indices.flatten().to_numpy(zero_copy_only=False), len(labels))
    return Predictions(str(path), clips["clip_id"].to_pylist(), scores, targets)


def write_scores(path: Path, predictions: Predictions, lineage: Lineage) -> None:
    """Write scores.parquet."""
    clips, labels = predictions.scores.shape
    lengths = predictions.targets.sum(axis=1)
    columns = {
        "clip_id": predictions.clip_ids,
        "scores": pa.ListArray.from_arrays(
            np.arange(clips + 1, dtype=np.int32) * np.int32(labels),
            predictions.scores.reshape(-1),
            type=SCORES.field("scores").type,
        ),
        "targets": pa.ListArray.from_arrays(
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32),
            np.nonzero(predictions.targets)[1].astype(np.int32),
            type=SCORES.field("targets").type,
        ),
    }
    write_parquet(path, "scores", columns, lineage)


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
