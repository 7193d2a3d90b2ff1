"""Training steps as `spa train` does them, timed: on one batch that stays, and from the Parquet store."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from stages.artifacts import read_parquet
from stages.audio.store import AudioStore
from stages.models.encoders import ENCODERS
from stages.models.tagger import Tagger
from stages.train.clip_cache import ClipCache
from stages.train.clips import clips_of_split
from stages.train.compilation import compile_encoder
from stages.train.loading import Batch, Loader
from stages.train.objective import Objective
from stages.train.plan import Plan
from stages.train.settings import TrainSettings
from stages.train.step import Trainer
from stages.train.world import World
from training.chip import finish, training_operations
from training.made_workspace import LABELS

_TEXT_DIMENSIONS = 384
WARM_UP = 3  # steps before those that count


@dataclass(frozen=True)
class Fed:
    """Steps from the store: clips a second, and the share of the time that the device had no batch."""

    clips_per_second: float
    waiting: float


@dataclass(frozen=True)
class Case:
    """What is trained: an encoder on clips of so many seconds, in batches of so many."""

    encoder: str
    seconds: float
    batch_size: int
    compiled: bool


class Steps:
    """A trainer with SPA on random texts, and the clips of a workspace."""

    def __init__(self, case: Case, workspace: Path, device: torch.device) -> None:
        """Build a tagger with random weights; passt leaves out what its paper does."""
        torch.manual_seed(0)
        self.device = device
        encoder, seconds = case.encoder, case.seconds
        front_end = ENCODERS[encoder].front_end_for(seconds)
        tagger = Tagger(encoder, LABELS, _TEXT_DIMENSIONS, front_end).to(device)
        if encoder == "passt":
            tagger.encoder.set_patchout(round(4 * seconds), 4, seconds)  # 40 and 4 of ten seconds
        if case.compiled:
            compile_encoder(tagger)
        settings = TrainSettings.model_validate({"encoder": encoder, "batch_size": case.batch_size})
        texts = normalize(torch.randn(LABELS, _TEXT_DIMENSIONS), dim=1).to(device)
        objective = Objective(settings, texts, None, None)
        self.trainer = Trainer(tagger, objective, settings, steps=10**6)
        self.trainer.start_epoch()
        clips = clips_of_split(read_parquet(workspace / "clips.parquet", "clips"), "train", LABELS)
        self.plan = Plan(clips.targets, settings, case.batch_size)
        sample_rate = front_end.sample_rate
        store = AudioStore(workspace / "audio", sample_rate)
        cache = ClipCache(store, clips, most_bytes=0)  # every clip is decoded each time
        self.loader = Loader(cache, clips, round(seconds * sample_rate), settings.seed, World())

    def batches(self, count: int) -> Iterator[Batch]:
        """Load so many batches, over as many epochs as they take."""
        epochs = range(1, 2 + count // self.plan.batches)
        plans = [plan for epoch in epochs for plan in self.plan.epoch(epoch)]
        return self.loader.load(plans[:count])

    def on_one_batch(self, steps: int) -> float:
        """Clips a second where the batch is on the device already.

        Raises:
            torch.OutOfMemoryError: the batch is too large.
        """
        (batch,) = self.batches(1)
        batch = replace(batch, waveform=batch.waveform.to(self.device))
        started = 0.0
        for step in range(WARM_UP + steps):
            if step == WARM_UP:
                finish(self.device)
                started = time.perf_counter()
            losses = self.trainer.learn(batch)
        finish(self.device)
        seconds = time.perf_counter() - started
        assert losses.loss.isfinite(), "the loss is not a number"
        return steps * len(batch.plan.clips) / seconds

    def from_the_store(self, steps: int) -> Fed:
        """Train on clips that are read and decoded meanwhile.

        The device waits from the end of a batch's work to the arrival of the next batch, by its own
        clock: time in which the next one is late and nothing is left to do.
        """
        marks: list[tuple[Mark, Mark]] = []
        clips = 0
        for number, batch in enumerate(self.batches(WARM_UP + steps)):
            begun = Mark(self.device)
            self.trainer.learn(batch)
            marks.append((begun, Mark(self.device)))
            clips += len(batch.plan.clips) if number >= WARM_UP else 0
        finish(self.device)
        counted = marks[WARM_UP - 1 :]  # up to the first that counts there may be a wait, too
        waits = [ended.until(begun) for (_, ended), (begun, _) in pairwise(counted)]
        total = counted[0][1].until(counted[-1][1])
        return Fed(clips / total, sum(waits) / total)

    def operations(self) -> float:
        """Operations that encoder, head and projection take for one clip, forward and backward."""
        (batch,) = self.batches(1)
        waveform = batch.waveform[:2].to(self.device)
        with torch.no_grad():
            log_mel = self.trainer.tagger.log_mel(waveform)
        return training_operations(self.trainer.heads, log_mel)


class Mark:
    """A moment in the work of a device."""

    def __init__(self, device: torch.device) -> None:
        """Take the moment when the device has done what it was asked for so far."""
        self._event: torch.cuda.Event | None = None
        self._seconds = time.perf_counter()
        if device.type == "cuda":
            self._event = torch.cuda.Event(enable_timing=True)
            self._event.record()

    def until(self, later: "Mark") -> float:
        """Seconds from here to `later`, once the device is done."""
        if self._event is None or later._event is None:
            return later._seconds - self._seconds
        return self._event.elapsed_time(later._event) / 1000


@torch.inference_mode()
def largest_difference(encoder: str, seconds: float) -> float:
    """Of the logits of two clips of noise: CUDA against CPU, single precision without TF32."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.manual_seed(0)
    tagger = Tagger(encoder, LABELS, front_end=ENCODERS[encoder].front_end_for(seconds)).eval()
    samples = round(seconds * tagger.log_mel.front_end.sample_rate)
    waveform: Tensor = 0.1 * torch.randn(2, samples)
    on_cpu = tagger(waveform)
    return float((tagger.cuda()(waveform.cuda()).cpu() - on_cpu).abs().max())
