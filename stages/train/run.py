"""Train a tagger on the prepared clips, aligned with the labels' text embeddings or one-hot."""

import pyarrow as pa
import torch

from ontology.database import open_ontology
from ontology.distances import distance_matrix
from stages.artifacts import read_parquet
from stages.audio.store import AudioStore
from stages.context import StageContext
from stages.errors import ArtifactError, SpaError
from stages.models.checkpoint import Checkpoint, ModelHeader, save_checkpoint
from stages.models.devices import choose_device
from stages.models.encoders import ENCODERS
from stages.models.public_start import find_public_weights, start_from
from stages.models.tagger import Tagger
from stages.train.clips import Clips, TrainingBatches, clips_of_split
from stages.train.history import History
from stages.train.loop import Loop
from stages.train.settings import TrainSettings, TrainSummary
from stages.train.step import Trainer
from stages.train.text import LabelTexts, read_label_texts

_SHORTEST_WINDOW_SECONDS, _LONGEST_WINDOW_SECONDS = 0.5, 10.0


def run(settings: TrainSettings, context: StageContext) -> TrainSummary:
    """Train, keep the best epoch, write model.safetensors and history.parquet."""
    labels = read_parquet(context.workspace / "labels.parquet", "labels")
    table = read_parquet(context.workspace / "clips.parquet", "clips")
    train, valid = _splits(table, labels.num_rows, context)
    texts = _label_texts(settings, context, labels)
    torch.manual_seed(settings.seed)
    checkpoint, labels_known = _started(
        settings, context, labels, _clip_seconds(settings, train), texts
    )
    header, tagger = checkpoint.header, checkpoint.tagger
    store = AudioStore(context.workspace / "audio")
    _check_sample_rate(table, header, store, context)
    window_samples = round(header.clip_seconds * header.sample_rate)
    batches = TrainingBatches(store, train, window_samples, settings.batch_size, settings.seed)
    embeddings = texts.embeddings.to(checkpoint.device) if texts else None
    steps = settings.epochs * len(batches)
    distances = _distances(settings, context, checkpoint)
    trainer = Trainer(tagger, embeddings, settings, steps, distances)
    folder = f"runs/{settings.name}"
    with History(context.workspace / folder / "tensorboard") as history:
        loop = Loop(trainer, batches, store, history)
        best = loop.run(checkpoint, valid, settings.epochs, context.reporter)
    history.write(context.staging / folder / "history.parquet", context.lineage)
    metrics = {} if best.valid_map is None else {"valid_mAP": best.valid_map}
    model = f"{folder}/model.safetensors"
    save_checkpoint(
        context.staging / model, best.weights, header.model_copy(update={"metrics": metrics})
    )
    return TrainSummary(
        name=settings.name,
        encoder=header.encoder,
        init=settings.init,
        labels_known=labels_known,
        alignment_weight=settings.alignment_weight if settings.aligns else 0.0,
        parameters=sum(parameter.numel() for parameter in tagger.parameters()),
        device=str(checkpoint.device),
        epochs=settings.epochs,
        best_epoch=best.epoch,
        valid_map=best.valid_map,
        train_clips=len(train),
        valid_clips=len(valid),
        clips_per_second=_rate(settings.epochs * len(train), loop.training_seconds),
        model=str(context.workspace / model),
    )


def _distances(
    settings: TrainSettings, context: StageContext, checkpoint: Checkpoint
) -> torch.Tensor | None:
    """Edges between the labels (labels, labels), where the loss needs them."""
    if settings.loss != "obce":
        return None
    with open_ontology(context.workspace / "ontology.duckdb") as connection:
        found = distance_matrix(connection, checkpoint.header.mids)
    if found.is_flat:
        context.reporter.warn("the ontology is flat: OBCE is then binary cross-entropy")
    return torch.from_numpy(found.values).to(checkpoint.device)


def _splits(table: pa.Table, labels: int, context: StageContext) -> tuple[Clips, Clips]:
    """The clips to train on, and those to choose the best epoch by."""
    train = clips_of_split(table, "train", labels)
    valid = clips_of_split(table, "valid", labels)
    if not len(train):
        raise SpaError("clips.parquet has no clip in the split 'train'", "prepare with other folds")
    if not len(valid):
        context.reporter.warn("no validation clips: the last epoch is kept")
    return train, valid


def _label_texts(
    settings: TrainSettings, context: StageContext, labels: pa.Table
) -> LabelTexts | None:
    if not settings.aligns:
        return None
    path = context.workspace / "label_embeddings.parquet"
    return read_label_texts(path, tuple(labels["mid"].to_pylist()), centre=settings.centre_text)


def _started(
    settings: TrainSettings,
    context: StageContext,
    labels: pa.Table,
    clip_seconds: float,
    texts: LabelTexts | None,
) -> tuple[Checkpoint, int]:
    """The tagger to train, and how many labels its published weights know."""
    start = None
    if settings.init is not None:
        start = find_public_weights(settings.init, settings.encoder, context.reporter.line)
    encoder = start.encoder if start else settings.encoder or "small"
    front_end = ENCODERS[encoder].front_end_for(clip_seconds)
    dimensions = texts.space.dimensions if texts else None
    tagger = Tagger(encoder, labels.num_rows, dimensions, front_end)
    known = start_from(tagger, start, labels["mid"].to_pylist()) if start else 0
    if settings.epochs == 0 and known < labels.num_rows:
        context.reporter.warn(
            f"{labels.num_rows - known} of the {labels.num_rows} labels are none that"
            f" {settings.init} knows: their scores are random without training"
        )
    header = _header(settings, context, labels, encoder, tagger, clip_seconds, texts)
    device = choose_device(settings.device)
    return Checkpoint(tagger.to(device), header, device), known


def _rate(clips: int, seconds: float) -> float:
    return round(clips / seconds, 1) if seconds else 0.0


def _header(  # noqa: PLR0913 - a header gathers from everywhere
    settings: TrainSettings,
    context: StageContext,
    labels: pa.Table,
    encoder: str,
    tagger: Tagger,
    clip_seconds: float,
    texts: LabelTexts | None,
) -> ModelHeader:
    return ModelHeader(
        encoder=encoder,
        front_end=tagger.log_mel.front_end,
        embedding_dimensions=tagger.encoder.embedding_dimensions,
        mids=tuple(labels["mid"].to_pylist()),
        display_names=tuple(labels["display_name"].to_pylist()),
        clip_seconds=clip_seconds,
        pads_short_clips=settings.epochs > 0,
        text_space=texts.space if texts else None,
        ontology_sha256=context.lineage.inputs["ontology.duckdb"],
        training=settings.model_dump(mode="json"),
        metrics={},
        lineage=context.lineage.to_json(),
    )


def _clip_seconds(settings: TrainSettings, train: Clips) -> float:
    if settings.clip_seconds is not None:
        return settings.clip_seconds
    longest = float(train.duration_seconds.max())
    return min(max(longest, _SHORTEST_WINDOW_SECONDS), _LONGEST_WINDOW_SECONDS)


def _check_sample_rate(
    clips: pa.Table, header: ModelHeader, store: AudioStore, context: StageContext
) -> None:
    """Refuse audio that was prepared at another sample rate than the encoder hears."""
    first = (clips["shard"][0].as_py(), clips["row"][0].as_py())
    found = store.sample_rate(*first)
    if found != header.sample_rate:
        raise ArtifactError(
            f"{context.workspace / 'audio'} is at {found} Hz, encoder '{header.encoder}' hears "
            f"{header.sample_rate} Hz",
            f"prepare again with --sample-rate {header.sample_rate}",
        )
