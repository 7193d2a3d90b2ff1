"""Where the parts of a training come together."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from stages.audio.store import AudioStore
from stages.context import StageContext
from stages.models.checkpoint import Checkpoint
from stages.models.losses.balance import positive_weights
from stages.train.audio_rate import warn_of_other_rate
from stages.train.batch_size import Trial, chosen
from stages.train.clip_cache import ClipCache
from stages.train.clips import Clips
from stages.train.data import Data
from stages.train.distributed import refuse_fewer_clips_than_processes
from stages.train.history import History
from stages.train.loading import Loader
from stages.train.loop import Loop
from stages.train.objective import Objective
from stages.train.plan import Plan
from stages.train.precision import Precision
from stages.train.sampling import balanced_shares
from stages.train.settings import TrainSettings
from stages.train.state import FOLDER, saved_batch_size
from stages.train.step import Trainer
from stages.train.validation import Validator
from stages.train.world import World


def assembled(  # noqa: PLR0913 - where all parts come together
    settings: TrainSettings,
    context: StageContext,
    data: Data,
    checkpoint: Checkpoint,
    history: History,
    world: World,
) -> Loop:
    """Build the loop of a training.

    Args:
        settings: of the stage; its batch size is a number.
        context: of the stage.
        data: what to learn from.
        checkpoint: the tagger to train, on its device.
        history: where measures go.
        world: the processes that train together.

    Raises:
        UsageError: a batch would have fewer clips than there are processes.
    """
    header = checkpoint.header
    store = AudioStore(context.workspace / "audio", header.sample_rate)
    warn_of_other_rate(data.table, store, header, context.reporter)
    batch_size = int(settings.batch_size)
    plan = Plan(data.train.targets, settings, batch_size)
    refuse_fewer_clips_than_processes(plan, world)
    window_samples = round(header.clip_seconds * header.sample_rate)
    cache = ClipCache(store, data.train, round(settings.cache_gb * 1e9))
    steps = max(settings.epochs * plan.steps_per_epoch, 1)
    objective = _objective(settings, data, checkpoint.device)
    return Loop(
        settings=settings,
        checkpoint=checkpoint,
        trainer=Trainer(checkpoint.tagger, objective, settings, steps, world),
        plan=plan,
        loader=Loader(cache, data.train, window_samples, settings.seed, world),
        validator=Validator(store, data.valid, data.distances.values, batch_size, world),
        history=history,
        reporter=context.reporter,
        folder=None if context.team.follows else context.staging,
    )


def _objective(settings: TrainSettings, data: Data, device: torch.device) -> Objective:
    texts = data.texts.embeddings.to(device) if data.texts else None
    distances = None
    if settings.reads_distances:
        distances = torch.from_numpy(data.distances.values).to(device)
    weights = None
    if settings.positive_balance > 0:
        counts = torch.from_numpy(_clips_heard(settings, data.train)).to(device)
        weights = positive_weights(counts, len(data.train), settings.positive_balance)
    return Objective(settings, texts, distances, weights)


def _clips_heard(settings: TrainSettings, train: Clips) -> NDArray[np.float64]:
    """How many of as many clips as there are have each label (labels,), as they are drawn."""
    if settings.sampling == "shuffled":
        counts: NDArray[np.float64] = train.targets.sum(axis=0, dtype=np.float64)
    else:
        counts = balanced_shares(train.targets) @ train.targets * len(train)
    return counts


def trial_of(settings: TrainSettings, checkpoint: Checkpoint) -> Trial:
    """Return what tries whether a batch fits into memory."""
    window_samples = round(checkpoint.header.clip_seconds * checkpoint.header.sample_rate)
    precision = Precision(settings.precision, checkpoint.device)
    return Trial(checkpoint.tagger, precision, window_samples)


def with_batch_size(
    settings: TrainSettings, context: StageContext, checkpoint: Checkpoint, world: World
) -> tuple[TrainSettings, Checkpoint]:
    """Put a number in the place of the batch size `auto`.

    It is that of the saved state, if there is one; else what fits on the first process's device.
    """
    if settings.batch_size != "auto":
        return settings, checkpoint
    size = None if context.team.follows else saved_batch_size(context.staging / FOLDER)
    size = size or chosen("auto", trial_of(settings, checkpoint), world.size)
    size = int(world.from_writer(str(size).encode()) or b"0")
    settings = settings.model_copy(update={"batch_size": size})
    context.reporter.line(f"batch size {size}")
    training = settings.model_dump(mode="json")
    header = checkpoint.header.model_copy(update={"training": training})
    return settings, replace(checkpoint, header=header)


def as_trained(settings: TrainSettings, loop: Loop) -> TrainSettings:
    """Put what was decided in the place of what was left open, so that a later default changes nothing."""
    header = loop.checkpoint.header
    decided: dict[str, object] = {
        "encoder": header.encoder,
        "clip_seconds": header.clip_seconds,
        "average": settings.averaging,
        "learning_rate": loop.trainer.peak_learning_rate,
    }
    if settings.aligns:
        decided |= {"centre_text": settings.centres}
        temperature = loop.trainer.objective.temperature
        decided |= {"text_temperature": temperature} if temperature else {}
    return settings.model_copy(update=decided)
