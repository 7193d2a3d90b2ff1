"""One optimiser step: augmentation, losses, gradients."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from stages.models.losses import alignment_loss, classification_loss, combined_loss
from stages.models.ontology_loss import ontology_cross_entropy
from stages.models.tagger import Tagger
from stages.train.augment import mixup, spec_augment
from stages.train.settings import TrainSettings


@dataclass(frozen=True)
class StepLosses:
    """What a step measured, each a scalar. `alignment` is the cosine loss before it is weighed."""

    loss: Tensor
    classification: Tensor
    alignment: Tensor | None

    def values(self) -> dict[str, float]:
        """The measures by name."""
        named = {
            "loss": self.loss,
            "classification": self.classification,
            "alignment": self.alignment,
        }
        return {name: value.item() for name, value in named.items() if value is not None}


def learning_rate_at(step: int, steps: int, peak: float, warmup_share: float) -> float:
    """Linear rise to `peak` over the first share of the steps, then half a cosine down to 0."""
    warmup = warmup_share * steps
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(steps - warmup, 1)))


class Trainer:
    """The tagger with its optimiser. Chance in step n follows from the seed and n alone."""

    def __init__(
        self,
        tagger: Tagger,
        text_embeddings: Tensor | None,
        settings: TrainSettings,
        steps: int,
        distances: Tensor | None = None,
    ) -> None:
        """Prepare AdamW for a training of `steps` steps.

        Args:
            tagger: on its device; has a projection exactly when text_embeddings are given.
            text_embeddings: (labels, dimensions), unit length, on the same device; None: one-hot.
            settings: of the stage.
            steps: optimiser steps of the whole training.
            distances: (labels, labels), edges of the ontology, on the same device; needed for OBCE.
        """
        self.tagger, self.text_embeddings, self.settings = tagger, text_embeddings, settings
        self.steps, self.distances = steps, distances
        self.device = next(tagger.parameters()).device
        self.optimizer = torch.optim.AdamW(
            tagger.parameters(), lr=settings.peak_learning_rate, weight_decay=settings.weight_decay
        )

    def step(self, number: int, waveform: Tensor, targets: Tensor) -> StepLosses:
        """Learn from one batch: waveform (batch, samples) float32, targets (batch, labels) float32."""
        settings = self.settings
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + number)
        torch.manual_seed(settings.seed * 1_000_003 + number)
        waveform, targets = waveform.to(self.device), targets.to(self.device)
        waveform, targets = mixup(waveform, targets, settings.mixup_alpha, generator)
        with torch.no_grad():
            log_mel = self.tagger.log_mel(waveform)
            log_mel = spec_augment(
                log_mel, settings.time_mask_share, settings.mel_mask_share, generator
            )
        losses = self._losses(log_mel, targets)
        self.optimizer.zero_grad(set_to_none=True)
        losses.loss.backward()  # type: ignore[no-untyped-call]  # torch has no type here
        torch.nn.utils.clip_grad_norm_(self.tagger.parameters(), settings.clip_gradient_norm)
        rate = learning_rate_at(
            number, self.steps, settings.peak_learning_rate, settings.warmup_share
        )
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        return losses

    @property
    def learning_rate(self) -> float:
        """The learning rate of the last step."""
        rate: float = self.optimizer.param_groups[0]["lr"]
        return rate

    def _losses(self, log_mel: Tensor, targets: Tensor) -> StepLosses:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            features = self.tagger.encoder(log_mel)
            logits = self.tagger.head(features)
            projection = self.tagger.projection
            embedding = self.tagger.encoder.embedding(features)
            projected = None if projection is None else projection(embedding)
        if self.distances is None:
            classification = classification_loss(logits, targets)
        else:
            classification = ontology_cross_entropy(logits, targets, self.distances)
        if projected is None or self.text_embeddings is None:
            return StepLosses(classification, classification, None)
        alignment = alignment_loss(projected, targets, self.text_embeddings)
        weight = self.settings.alignment_weight
        loss = combined_loss(classification, alignment, targets, weight)
        return StepLosses(loss, classification, alignment)
