"""One optimiser step: one-hot training is exactly what it is without a projection."""

import math

import pytest
import torch
from torch.nn import functional

from stages.models.tagger import Tagger
from stages.train.settings import TrainSettings
from stages.train.step import Trainer, learning_rate_at

TEXTS = functional.normalize(torch.randn(3, 8, generator=torch.Generator().manual_seed(0)), dim=1)


def trained(
    weight: float, text_dimensions: int | None, steps: int = 3
) -> tuple[list[float], Tagger]:
    """Train on fixed noise; returns the losses and the model."""
    settings = TrainSettings(alignment_weight=weight, seed=5)
    torch.manual_seed(5)
    tagger = Tagger("small", 3, text_dimensions).train()
    texts = None if text_dimensions is None else TEXTS
    trainer = Trainer(tagger, texts, settings, steps)
    generator = torch.Generator().manual_seed(1)
    losses = []
    for number in range(steps):
        waveform = torch.randn(4, 16000, generator=generator) * 0.1
        targets = (torch.rand(4, 3, generator=generator) < 0.4).float()
        losses.append(trainer.step(number, waveform, targets).values()["classification"])
    return losses, tagger


def test_weight_nought_is_training_without_a_projection_bit_for_bit() -> None:
    plain_losses, plain = trained(0, None)
    losses, aligned = trained(0, 8)
    assert losses == plain_losses
    for name, weights in plain.state_dict().items():
        assert torch.equal(weights, aligned.state_dict()[name]), name


def test_alignment_reaches_the_encoder_but_starts_from_the_same_place() -> None:
    plain_losses, plain = trained(0, None)
    losses, aligned = trained(0.5, 8)
    assert losses[0] == plain_losses[0], "the first loss is before any learning"
    assert losses[2] != plain_losses[2]
    name = "encoder.convolutions.0.weight"
    assert not torch.equal(plain.state_dict()[name], aligned.state_dict()[name])


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second = (trained(0.5, 8)[1].state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_values_name_what_there_is() -> None:
    torch.manual_seed(0)
    settings = TrainSettings(alignment_weight=0)
    trainer = Trainer(Tagger("small", 3), None, settings, 1)
    values = trainer.step(0, torch.randn(2, 16000), torch.eye(3)[:2]).values()
    assert set(values) == {"loss", "classification"}


def test_the_learning_rate_rises_then_falls_as_half_a_cosine() -> None:
    rates = [learning_rate_at(step, 100, 1.0, 0.1) for step in range(100)]
    assert rates[0] > 0
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[10] == 1.0
    assert rates[55] == pytest.approx(0.5 * (1 + math.cos(math.pi / 2)))
    assert rates[-1] < 1e-3
    assert learning_rate_at(0, 10, 1.0, 0.0) == 1.0
