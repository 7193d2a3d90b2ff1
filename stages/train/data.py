"""What a training learns from: clips, labels, texts and the distances between labels."""

from dataclasses import dataclass

import pyarrow as pa

from ontology.database import open_ontology
from ontology.distances import DistanceMatrix, distance_matrix
from stages.artifacts import read_parquet
from stages.context import StageContext
from stages.errors import SpaError, UsageError
from stages.train.clips import Clips, clips_of_split
from stages.train.labels_without_clips import labels_without_clips
from stages.train.settings import TrainSettings
from stages.train.text import LabelTexts, read_label_texts
from stages.train.validation_split import carve, carved_line

_MANY_TIMES = 10  # that a clip is heard in one epoch is seldom meant
_SHORTEST_WINDOW_SECONDS, _LONGEST_WINDOW_SECONDS = 0.5, 10.0


@dataclass(frozen=True)
class Data:
    """What a training learns from.

    Attributes:
        table: clips.parquet, with clips for validation.
        train: the clips to learn from.
        valid: the clips to choose the best epoch by; there may be none.
        labels: labels.parquet.
        texts: of the labels, where the settings read them.
        distances: between the labels.
    """

    table: pa.Table
    train: Clips
    valid: Clips
    labels: pa.Table
    texts: LabelTexts | None
    distances: DistanceMatrix

    def clip_seconds(self, settings: TrainSettings) -> float:
        """Length that the model hears at once: as set, or that of the longest clip within bounds."""
        if settings.clip_seconds is not None:
            return settings.clip_seconds
        longest = float(self.train.duration_seconds.max())
        return min(max(longest, _SHORTEST_WINDOW_SECONDS), _LONGEST_WINDOW_SECONDS)


def read_data(settings: TrainSettings, context: StageContext) -> Data:
    """Read the workspace; say what is unusual about it.

    Raises:
        SpaError: there is no clip to train on.
        UsageError: smoothing by a flat ontology.
        ArtifactError: the label embeddings are of other labels.
    """
    labels = read_parquet(context.workspace / "labels.parquet", "labels")
    table = read_parquet(context.workspace / "clips.parquet", "clips")
    carved = carve(table, labels.num_rows, settings.valid_share, settings.seed)
    if line := carved_line(table, carved):
        context.reporter.line(line)
    train, valid = (clips_of_split(carved, split, labels.num_rows) for split in ("train", "valid"))
    given = settings.valid_share != TrainSettings.model_fields["valid_share"].default
    if given and carved is table and len(valid):
        context.reporter.warn("--valid-share does nothing: the data set has a split 'valid'")
    if not len(train):
        raise SpaError("clips.parquet has no clip in the split 'train'", "prepare with other folds")
    if not train.targets.any():
        raise SpaError(
            f"none of the {len(train)} training clips in clips.parquet has a label",
            "prepare a data set that says what is heard",
        )
    if len(valid) and not valid.targets.any():
        context.reporter.warn(f"none of the {len(valid)} validation clips has a label: not used")
        valid = valid.none()
    if not len(valid):
        never = ", and --patience stops nothing" if settings.patience else ""
        context.reporter.warn(f"no validation clips: the last epoch is kept{never}")
    if settings.clips_per_epoch and settings.clips_per_epoch > _MANY_TIMES * len(train):
        context.reporter.warn(
            f"an epoch is {settings.clips_per_epoch} draws from {len(train)} clips: --clips-per-epoch"
            " makes it shorter"
        )
    if warning := labels_without_clips(train.targets, labels["display_name"].to_pylist()):
        context.reporter.warn(warning)
    texts = None
    if settings.reads_texts:
        path = context.workspace / "label_embeddings.parquet"
        mids = tuple(labels["mid"].to_pylist())
        texts = read_label_texts(path, mids, centre=settings.centres)
    with open_ontology(context.workspace / "ontology.duckdb") as connection:
        distances = distance_matrix(connection, labels["mid"].to_pylist())
    if distances.is_flat and settings.smoothing == "ontology":
        raise UsageError(
            "--smoothing ontology: the ontology is flat, every label is as far from every other",
            "train without it, or with --smoothing text",
        )
    if distances.is_flat and settings.reads_distances:
        context.reporter.warn(
            f"the ontology is flat: --loss {settings.loss} is then binary cross-entropy"
        )
    return Data(carved, train, valid, labels, texts, distances)
