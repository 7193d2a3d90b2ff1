"""One batch: augmentation, losses, gradients; and, when enough are gathered, an optimiser step."""

import torch
from torch import Tensor, nn

from stages.models.tagger import Tagger
from stages.train.augment import Augmentation, drawing, mix, stream
from stages.train.averaging import make_average
from stages.train.loading import Batch
from stages.train.objective import Objective, StepLosses
from stages.train.optimiser import make_optimiser, set_learning_rate, set_training_mode
from stages.train.precision import Precision
from stages.train.schedule import learning_rate_share, peak_learning_rate
from stages.train.settings import TrainSettings
from stages.train.world import World


class Heads(nn.Module):
    """Log-mel spectrogram to logits (batch, labels) and the clip in the text space, or None."""

    def __init__(self, tagger: Tagger) -> None:
        """Share the tagger's encoder, head and projection."""
        super().__init__()
        self.encoder, self.head, self.projection = tagger.encoder, tagger.head, tagger.projection

    def forward(self, log_mel: Tensor) -> tuple[Tensor, Tensor | None]:
        """Take log_mel (batch, frames, mel_bands)."""
        features = self.encoder(log_mel)
        logits = self.head(features)
        if self.projection is None:
            return logits, None
        return logits, self.projection(self.encoder.embedding(features))


class Trainer:
    """The tagger with its optimiser. Chance in batch n follows from the seed and n alone."""

    def __init__(
        self,
        tagger: Tagger,
        objective: Objective,
        settings: TrainSettings,
        steps: int,
        world: World | None = None,
    ) -> None:
        """Prepare a training of `steps` optimiser steps.

        Args:
            tagger: on its device; has a projection exactly when the objective aligns.
            objective: the losses, with what they need on the same device.
            settings: of the stage.
            steps: optimiser steps of the whole training.
            world: the processes that train together.
        """
        self.tagger, self.objective, self.settings, self.steps = tagger, objective, settings, steps
        self.world = world or World()
        self.device = next(tagger.parameters()).device
        self.peak_learning_rate = peak_learning_rate(settings, tagger.encoder)
        self.optimiser = make_optimiser(tagger, settings, self.peak_learning_rate)
        self.average = make_average(tagger, settings)
        self.precision = Precision(settings.precision, self.device)
        self.augmentation = Augmentation(settings, settings.seed)
        self.heads = self.world.wrapped(Heads(tagger))
        self.steps_done = 0

    def start_epoch(self) -> None:
        """Make ready to train, after something else was done with the tagger."""
        set_training_mode(self.tagger, self.settings)

    def learn(self, batch: Batch, gathered: int = 1, *, ends_step: bool = True) -> StepLosses:
        """Add the gradients of one batch; move the weights when it ends a step.

        Args:
            batch: what to learn from.
            gathered: how many batches make this step: their gradients are averaged.
            ends_step: whether it is the last of them.
        """
        settings, number = self.settings, batch.plan.number
        generator = drawing(settings.seed, number)
        torch.manual_seed(stream(settings.seed, number, 4, self.world.rank))  # of dropout
        log_mel = self._heard(batch, generator)
        if ends_step:
            losses = self._backward(log_mel, batch, gathered)
            self._move()
        else:
            with self.world.gradients_stay(self.heads):
                losses = self._backward(log_mel, batch, gathered)
        return losses

    @torch.no_grad()
    def _heard(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """The augmented log-mel spectrograms (part, frames, mel_bands)."""
        waveform = batch.waveform.to(self.device, non_blocking=True)
        waveform = self.augmentation.waveforms(waveform, batch, generator)
        if self.settings.mixup_of == "waveform":
            log_mel = self.tagger.log_mel(mix(waveform, batch))
        else:
            log_mel = mix(self.tagger.log_mel(waveform), batch)
        return self.augmentation.masked(log_mel, batch, generator)

    def _backward(self, log_mel: Tensor, batch: Batch, gathered: int) -> StepLosses:
        with self.precision.autocast():
            logits, projected = self.heads(log_mel)
        clips = len(batch.plan.clips)
        logits = self.world.gathered(logits.float(), clips)
        if projected is not None:
            projected = self.world.gathered(projected.float(), clips)
        losses = self.objective(logits, projected, batch.targets.to(self.device, non_blocking=True))
        # Processes average their gradients, of which each has those of its own clips alone.
        self.precision.backward(losses.loss * (self.world.size / gathered))
        return losses

    def _move(self) -> None:
        set_learning_rate(self.optimiser, self.learning_rate)
        self.precision.step(self.optimiser, self.settings.clip_gradient_norm)
        self.optimiser.zero_grad(set_to_none=True)
        self.steps_done += 1
        self.average.update_after_step()

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        step = min(self.steps_done, self.steps - 1)
        return self.peak_learning_rate * learning_rate_share(step, self.steps, self.settings)
