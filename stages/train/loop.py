"""The epochs: train, validate, keep the best."""

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stages.audio.store import AudioStore
from stages.errors import SpaError
from stages.metrics.average_precision import average_precision
from stages.metrics.ranking import rank
from stages.models.checkpoint import Checkpoint
from stages.models.scoring import score_clips
from stages.reporter import Reporter, Task
from stages.train.clips import Clips, TrainingBatches
from stages.train.history import History
from stages.train.step import Trainer


@dataclass(frozen=True)
class Best:
    """The epoch with the highest validation mAP (the last one without validation), and its weights."""

    epoch: int
    valid_map: float | None
    weights: dict[str, Tensor]


class Loop:
    """Runs a trainer over its epochs."""

    def __init__(
        self, trainer: Trainer, batches: TrainingBatches, store: AudioStore, history: History
    ) -> None:
        """Keep the parts; `store` is where validation clips are read from."""
        self.trainer, self.batches, self.store, self.history = trainer, batches, store, history
        self.training_seconds = 0.0

    def run(self, checkpoint: Checkpoint, valid: Clips, epochs: int, reporter: Reporter) -> Best:
        """Train for `epochs` epochs and return the best; for none, the weights as they are.

        Raises:
            SpaError: the loss is no longer a number.
        """
        if epochs == 0:
            return Best(0, self._validate(checkpoint, valid), _copy(checkpoint.tagger.state_dict()))
        best: Best | None = None
        with reporter.task("train", epochs * len(self.batches.clips)) as task:
            for epoch in range(1, epochs + 1):
                step = self._epoch(epoch, task)
                valid_map = self._validate(checkpoint, valid)
                if valid_map is not None:
                    self.history.add(step, epoch, "valid/mAP", valid_map)
                    reporter.line(f"epoch {epoch}/{epochs}: validation mAP {valid_map:.4f}")
                if best is None or valid_map is None or valid_map > (best.valid_map or 0.0):
                    best = Best(epoch, valid_map, _copy(checkpoint.tagger.state_dict()))
        if best is None:
            raise SpaError("no epoch was trained")
        return best

    def _epoch(self, epoch: int, task: Task) -> int:
        """Train one epoch and return the number of steps done since the start."""
        trainer, batches = self.trainer, self.batches
        trainer.tagger.train()
        first = (epoch - 1) * len(batches)
        sums: dict[str, float] = {}
        started, clips_done = time.perf_counter(), 0
        for seen, batch in enumerate(batches.epoch(epoch), start=1):
            waveform, targets = torch.from_numpy(batch.waveform), torch.from_numpy(batch.targets)
            losses = trainer.step(first + seen - 1, waveform, targets)
            clips_done += len(targets)
            values = losses.values()
            if not all(map(math.isfinite, values.values())):
                clips = ", ".join(batch.clip_ids)
                raise _diverged(f"the loss is not a number in step {first + seen} (clips {clips})")
            for name, value in values.items():
                sums[name] = sums.get(name, 0.0) + value
            rate = clips_done / (time.perf_counter() - started)
            task.advance(len(targets), f"epoch {epoch}  {_words(values)}  {rate:.0f} clips/s")
        self.training_seconds += time.perf_counter() - started
        steps = first + len(batches)
        for name, total in sums.items():
            self.history.add(steps, epoch, f"train/{name}", total / len(batches))
        self.history.add(steps, epoch, "train/learning_rate", trainer.learning_rate)
        return steps

    def _validate(self, checkpoint: Checkpoint, valid: Clips) -> float | None:
        if not len(valid):
            return None
        checkpoint.tagger.eval()
        waveforms = map(self.store.read, valid.shards, valid.rows)
        scores = np.stack(list(score_clips(checkpoint, waveforms, self.batches.batch_size)))
        if not np.isfinite(scores).all():
            raise _diverged("the scores of the validation clips are not numbers")
        return float(np.nanmean(average_precision(rank(scores, valid.targets))))


def _diverged(what: str) -> SpaError:
    return SpaError(what, "train with a lower --learning-rate")


def _copy(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}


def _words(values: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.3f}" for name, value in values.items())
