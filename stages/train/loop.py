"""The epochs: train, validate, keep the best, save the state."""

import time
from dataclasses import dataclass
from pathlib import Path

from stages.lineage import file_sha256
from stages.models.checkpoint import Checkpoint, save_checkpoint
from stages.reporter import Reporter, Task
from stages.train.diverged import DivergedError
from stages.train.history import History
from stages.train.loading import Loader
from stages.train.plan import Plan
from stages.train.running_losses import RunningLosses
from stages.train.settings import TrainSettings
from stages.train.state import FOLDER, Best, Progress, best_model, read_state, restored, save_state
from stages.train.step import Trainer
from stages.train.validation import Validator


@dataclass(frozen=True)
class Loop:
    """Runs a trainer over its epochs. One process writes: where `folder` is None, nothing is saved."""

    settings: TrainSettings
    checkpoint: Checkpoint
    trainer: Trainer
    plan: Plan
    loader: Loader
    validator: Validator
    history: History
    reporter: Reporter
    folder: Path | None

    def run(self, *, afresh: bool = False) -> Progress:
        """Train from the beginning, or from the saved state unless `afresh`, to the end.

        Raises:
            DivergedError: the loss is no longer a number.
            ArtifactError: the saved state cannot be read.
        """
        progress = self._begun(afresh=afresh)
        epochs = self.settings.epochs
        with self.reporter.task("train", epochs * self.plan.clips_per_epoch) as task:
            if progress.steps:
                self.reporter.line(_going_on(progress, epochs))
                task.advance(self._clips_before(progress))
            while progress.epoch < epochs and not self._out_of_patience(progress):
                try:
                    self._epoch(progress, task)
                    self._judge(progress)
                except DivergedError as error:
                    raise DivergedError(error.message, self._last_good(progress)) from error
                self._save(progress)
        return progress

    def _last_good(self, progress: Progress) -> Path | None:
        """The model of the best epoch, where there is one yet."""
        if self.folder is None or progress.best is None or not progress.best.sha256:
            return None
        return best_model(self.folder / FOLDER, progress.best.epoch)

    def _begun(self, *, afresh: bool) -> Progress:
        data = None
        if self.folder is not None and not afresh:
            data = read_state(self.folder / FOLDER)
        data = self.trainer.world.from_writer(data)
        progress = Progress() if data is None else restored(data, self.trainer)
        self.history.open(progress.history, progress.events)
        progress.history, progress.events = self.history.columns, self.history.events
        progress.batch_size = int(self.settings.batch_size)
        return progress

    def _epoch(self, progress: Progress, task: Task) -> None:
        """Train what is left of an epoch."""
        trainer, epoch = self.trainer, progress.epoch + 1
        trainer.start_epoch()
        plans = self.plan.epoch(epoch, first=progress.batches)
        running = RunningLosses(progress.sums)
        started = saved = time.perf_counter()
        for batch in self.loader.load(plans):
            place = progress.batches
            gathered = self._gathered(place)
            ends_step = (
                place + 1
            ) % self.settings.accumulate == 0 or place + 1 == self.plan.batches
            losses = trainer.learn(batch, gathered, ends_step=ends_step)
            progress.batches += 1
            detail = running.add(batch, losses, trainer.steps_done)
            task.advance(len(batch.plan.clips), f"epoch {epoch}  {detail}")
            now = time.perf_counter()
            if ends_step and now - saved > 60 * self.settings.save_minutes:
                progress.seconds += now - started
                running.settle()
                self._save(progress)
                started = saved = time.perf_counter()
        running.settle()
        progress.seconds += time.perf_counter() - started
        for name, total in progress.sums.items():
            self.history.add(trainer.steps_done, epoch, f"train/{name}", total / self.plan.batches)
        self.history.add(trainer.steps_done, epoch, "train/learning_rate", trainer.learning_rate)
        progress.epoch, progress.batches = epoch, 0
        progress.sums.clear()

    def _gathered(self, place: int) -> int:
        """How many batches make the step that the batch at `place` of an epoch belongs to."""
        accumulate = self.settings.accumulate
        return min(accumulate, self.plan.batches - place // accumulate * accumulate)

    def _judge(self, progress: Progress) -> None:
        """Validate, and keep the model when it is the best so far, or when nothing can tell."""
        trainer, epoch = self.trainer, progress.epoch
        trainer.average.update_after_epoch(epoch, self.settings.epochs)
        averaged = trainer.average.tagger is not trainer.tagger
        judged = Checkpoint(trainer.average.tagger, self.checkpoint.header, self.checkpoint.device)
        measures = self.validator.measures(judged)
        for name, value in measures.items():
            self.history.add(trainer.steps_done, epoch, f"valid/{name}", value)
        if measures:
            words = ", ".join(f"{name} {value:.4f}" for name, value in measures.items())
            of_what = "validation of the averaged weights" if averaged else "validation"
            self.reporter.line(f"epoch {epoch}/{self.settings.epochs}: {of_what} {words}")
        if self._is_better(measures, averaged, progress.best):
            best = Best(epoch=epoch, measures=measures, averaged=averaged)
            self._keep(best)
            progress.best = best

    def _is_better(self, measures: dict[str, float], averaged: bool, best: Best | None) -> bool:
        """Whether to keep an epoch. Once there is an average, single weights no longer count.

        Of averages that measure the same, the later one has more in it.
        """
        if best is None or not measures or averaged > best.averaged:
            return True
        chosen = self.settings.select_by
        gain = measures[chosen] - best.measures[chosen]
        return gain > 0 or (averaged and gain == 0)

    def _keep(self, best: Best) -> None:
        weights = self.trainer.average.weights()
        if not all(bool(tensor.isfinite().all()) for tensor in weights.values()):
            raise DivergedError(f"the weights are not numbers after epoch {best.epoch}")
        if self.folder is None:
            return
        metrics = {f"valid_{name}": value for name, value in best.measures.items()}
        header = self.checkpoint.header.model_copy(update={"metrics": metrics})
        path = best_model(self.folder / FOLDER, best.epoch)
        save_checkpoint(path, weights, header)
        best.sha256 = file_sha256(path)

    def _save(self, progress: Progress) -> None:
        if self.folder is not None:
            save_state(self.folder / FOLDER, progress, self.trainer)
            self.history.keep()

    def _out_of_patience(self, progress: Progress) -> bool:
        """Whether the best epoch is too long ago. What waits for its average is waited for."""
        patience, best = self.settings.patience, progress.best
        if not patience or best is None or (self.settings.averaging == "swa" and not best.averaged):
            return False
        return progress.epoch - best.epoch >= patience

    def _clips_before(self, progress: Progress) -> int:
        done = progress.epoch * self.plan.clips_per_epoch
        return done + self.plan.clips_in(progress.batches)


def _going_on(progress: Progress, epochs: int) -> str:
    done = f"{progress.epoch} of {epochs} epochs"
    within = f" and {progress.batches} batches" if progress.batches else ""
    return f"going on from a training that was stopped: {done}{within} are done"
