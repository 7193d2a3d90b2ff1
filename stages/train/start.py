"""The tagger that a training starts from, with the header of its model file."""

from dataclasses import dataclass

import torch

from stages.context import StageContext
from stages.models.checkpoint import Checkpoint, ModelHeader
from stages.models.devices import choose_device
from stages.models.encoders import ENCODERS
from stages.models.public_checkpoint import PublicWeights
from stages.models.public_start import find_public_weights, start_from
from stages.models.tagger import Tagger
from stages.models.text_pull import TextPull
from stages.train.compilation import compile_encoder
from stages.train.data import Data
from stages.train.settings import TrainSettings


@dataclass(frozen=True)
class Start:
    """The tagger to train, and how many labels its published weights know."""

    checkpoint: Checkpoint
    labels_known: int


def start(settings: TrainSettings, context: StageContext, data: Data) -> Start:
    """Build the tagger on its device, with random weights from the seed or published ones.

    Raises:
        UsageError: the encoder cannot hear so long a clip, or has no such augmentation.
        SpaError: the published weights cannot be had or do not fit.
    """
    labels, texts, clip_seconds = data.labels, data.texts, data.clip_seconds(settings)
    torch.manual_seed(settings.seed)
    init = None
    if settings.init is not None:
        init = find_public_weights(settings.init, settings.encoder, context.reporter.line)
    encoder = init.encoder if init else settings.encoder or "small"
    ENCODERS[encoder].check_length(clip_seconds)
    dimensions = texts.space.dimensions if texts and settings.projects else None
    front_end = ENCODERS[encoder].front_end_for(clip_seconds)
    pull = TextPull(texts.embeddings, settings.text_pull) if texts and settings.pulls else None
    tagger = Tagger(encoder, labels.num_rows, dimensions, front_end, pull)
    known = start_from(tagger, init, labels["mid"].to_pylist()) if init else 0
    if settings.epochs == 0 and known < labels.num_rows:
        context.reporter.warn(
            f"{labels.num_rows - known} of the {labels.num_rows} labels are none that"
            f" {settings.init} knows: their scores are random without training"
        )
    _warn_of_little_gain(settings, context, init, known)
    if encoder == "passt" or settings.recipe is None:  # a recipe's patchout is for its own encoder
        tagger.encoder.set_patchout(settings.patchout_time, settings.patchout_mel, clip_seconds)
    header = _header(settings, context, data, encoder, tagger)
    device = choose_device(settings.device)
    tagger = tagger.to(device)
    if settings.compile and settings.epochs > 0:
        compile_encoder(tagger)
    return Start(Checkpoint(tagger, header, device), known)


def _warn_of_little_gain(
    settings: TrainSettings, context: StageContext, init: PublicWeights | None, known: int
) -> None:
    """Say what of the published weights does not serve, and what a frozen encoder would need."""
    if init is not None and init.labels and known == 0 and settings.epochs > 0:
        context.reporter.warn(
            f"{settings.init} has a head of {init.labels} labels, of which none is known to be one of"
            " these: its last layer is not taken over"
        )
    if settings.freeze_encoder and init is None:
        context.reporter.warn("the frozen encoder has random weights: --init names published ones")


def _header(
    settings: TrainSettings, context: StageContext, data: Data, encoder: str, tagger: Tagger
) -> ModelHeader:
    return ModelHeader(
        encoder=encoder,
        front_end=tagger.log_mel.front_end,
        embedding_dimensions=tagger.encoder.embedding_dimensions,
        mids=tuple(data.labels["mid"].to_pylist()),
        display_names=tuple(data.labels["display_name"].to_pylist()),
        clip_seconds=data.clip_seconds(settings),
        pads_short_clips=settings.epochs > 0,
        text_space=data.texts.space if data.texts else None,
        projects=settings.projects,
        text_pull=settings.text_pull if settings.pulls else 0.0,
        ontology_sha256=context.lineage.inputs["ontology.duckdb"],
        training=settings.model_dump(mode="json"),
        metrics={},
        lineage=context.lineage.to_json(),
    )
