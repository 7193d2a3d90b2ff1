"""Train a tagger on the prepared clips, aligned with the labels' text embeddings or one-hot."""

import shutil
from pathlib import Path

from stages.context import StageContext
from stages.models.checkpoint import save_checkpoint
from stages.train.assembly import as_trained, assembled, trial_of, with_batch_size
from stages.train.batch_size import is_out_of_memory, out_of_memory
from stages.train.config import write_config
from stages.train.data import Data, read_data
from stages.train.distributed import joined_world
from stages.train.freed_memory import keep_freed_memory
from stages.train.history import History
from stages.train.loop import Loop
from stages.train.schedule import peak_learning_rate
from stages.train.settings import TrainSettings, TrainSummary
from stages.train.start import Start, start
from stages.train.state import FOLDER, Best, Progress, best_model
from stages.train.world import World


def run(settings: TrainSettings, context: StageContext) -> TrainSummary:
    """Train, keep the best epoch, write model.safetensors, history.parquet and train.toml."""
    keep_freed_memory()
    with joined_world(context.team, settings.device) as world:
        return _led(settings, context, world)


def join(settings: TrainSettings, context: StageContext) -> None:
    """Train along with the process that runs `run`, and write nothing."""
    keep_freed_memory()
    with joined_world(context.team, settings.device) as world:
        _followed(settings, context, world)


def _led(settings: TrainSettings, context: StageContext, world: World) -> TrainSummary:
    data = read_data(settings, context)
    started = start(settings, context, data)
    settings, checkpoint = with_batch_size(settings, context, started.checkpoint, world)
    folder = f"runs/{settings.name}"
    model = f"{folder}/model.safetensors"
    (context.staging / folder).mkdir(parents=True, exist_ok=True)
    with History(context.workspace / folder / "tensorboard") as history:
        loop = assembled(settings, context, data, checkpoint, history, world)
        if settings.epochs == 0:
            progress = _taken_over(loop, context.staging / model)
        else:
            progress = _trained(loop, afresh=context.force)
            kept = best_model(context.staging / FOLDER, progress.best_epoch)
            shutil.copyfile(kept, context.staging / model)
    history.write(context.staging / folder / "history.parquet", context.lineage)
    settings = as_trained(settings, loop)
    write_config(context.staging / folder / "train.toml", settings)
    return _summary(settings, started, data, progress, context.workspace / model)


def _followed(settings: TrainSettings, context: StageContext, world: World) -> None:
    data = read_data(settings, context)
    checkpoint = start(settings, context, data).checkpoint
    settings, checkpoint = with_batch_size(settings, context, checkpoint, world)
    loop = assembled(settings, context, data, checkpoint, History(None), world)
    if settings.epochs == 0:
        loop.validator.measures(loop.checkpoint)
    else:
        _trained(loop)


def _trained(loop: Loop, *, afresh: bool = False) -> Progress:
    """Run the loop; where memory does not hold a batch, say which batch it would hold."""
    try:
        return loop.run(afresh=afresh)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        trainer = loop.trainer
        trainer.optimiser.zero_grad(set_to_none=True)
        trial = trial_of(loop.settings, loop.checkpoint)
        size = int(loop.settings.batch_size)
        raise out_of_memory(size, trial, trainer.world.size) from error


def _taken_over(loop: Loop, model: Path) -> Progress:
    """Keep the published weights as they are."""
    loop.history.open()
    measures = loop.validator.measures(loop.checkpoint)
    header = loop.checkpoint.header
    named = {f"valid_{name}": value for name, value in measures.items()}
    weights = loop.checkpoint.tagger.state_dict()
    save_checkpoint(model, weights, header.model_copy(update={"metrics": named}))
    return Progress(best=Best(epoch=0, measures=measures))


def _summary(
    settings: TrainSettings, started: Start, data: Data, progress: Progress, model: Path
) -> TrainSummary:
    checkpoint = started.checkpoint
    clips = progress.epoch * (settings.clips_per_epoch or len(data.train))
    measures = progress.best.measures if progress.best else {}
    return TrainSummary(
        name=settings.name,
        encoder=checkpoint.header.encoder,
        init=settings.init,
        labels_known=started.labels_known,
        alignment_weight=settings.alignment_weight if settings.aligns else 0.0,
        alignment=settings.alignment if settings.aligns else None,
        text_temperature=settings.text_temperature if settings.aligns else None,
        learning_rate=peak_learning_rate(settings, checkpoint.tagger.encoder),
        parameters=sum(parameter.numel() for parameter in checkpoint.tagger.parameters()),
        device=str(checkpoint.device),
        epochs=progress.epoch,
        best_epoch=progress.best_epoch,
        best_averaged=progress.best is not None and progress.best.averaged,
        valid_map=measures.get("mAP"),
        valid_omap=measures.get("OmAP"),
        train_clips=len(data.train),
        clips_per_epoch=settings.clips_per_epoch,
        valid_clips=len(data.valid),
        clips_per_second=round(clips / progress.seconds, 3) if progress.seconds else 0.0,
        model=str(model),
    )
