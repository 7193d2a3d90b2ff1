"""Optimiser steps: what alignment changes and what not, gathered gradients, precision, seeds."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from stages.models.tagger import Tagger
from stages.train.loading import Batch
from stages.train.objective import Objective
from stages.train.plan import BatchPlan
from stages.train.settings import TrainSettings
from stages.train.step import Trainer

TEXTS = functional.normalize(torch.randn(3, 8, generator=torch.Generator().manual_seed(0)), dim=1)
EVERYTHING_FIXED = {"mixup_alpha": 0, "time_mask_share": 0, "mel_mask_share": 0}


def batch(number: int, clips: int = 4, share: float = 0.8) -> Batch:
    """Noise, each clip mixed with the one after it."""
    generator = torch.Generator().manual_seed(number)
    places = np.arange(clips)
    plan = BatchPlan(number, places, np.roll(places, -1), np.full(clips, share, dtype=np.float32))
    targets = (torch.rand(clips, 3, generator=generator) < 0.4).float().numpy()
    return Batch(
        plan,
        places,
        torch.randn(clips, 16000, generator=generator) * 0.1,
        torch.from_numpy(places),
        torch.from_numpy(plan.partner),
        torch.from_numpy(plan.share),
        torch.from_numpy(plan.mixed(targets)),
        [str(place) for place in places],
    )


def trainer(texts: torch.Tensor | None = TEXTS, steps: int = 3, **settings: object) -> Trainer:
    chosen = TrainSettings.model_validate({"seed": 5, "alignment": "mean"} | settings)
    torch.manual_seed(5)
    tagger = Tagger("small", 3, None if texts is None else 8)
    made = Trainer(tagger, Objective(chosen, texts, None, None), chosen, steps)
    made.start_epoch()
    return made


def trained(**settings: object) -> tuple[list[float], dict[str, torch.Tensor]]:
    """Train three steps; returns the classification losses and the weights."""
    made = trainer(**settings)  # type: ignore[arg-type]
    losses = [made.learn(batch(number)).values()["classification"] for number in range(3)]
    return losses, made.tagger.state_dict()


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first if name in second)


def test_weight_nought_is_training_without_a_projection_bit_for_bit() -> None:
    plain_losses, plain = trained(texts=None, alignment_weight=0)
    losses, aligned = trained(alignment_weight=0)
    assert losses == plain_losses
    assert same(plain, aligned)


@pytest.mark.parametrize("rule", ["head", "mean", "each", "soft"])
def test_alignment_reaches_the_encoder_but_starts_from_the_same_place(rule: str) -> None:
    plain_losses, plain = trained(alignment_weight=0)
    losses, aligned = trained(alignment_weight=0.5, alignment=rule)
    assert losses[0] == plain_losses[0], "the first loss is before any learning"
    assert losses[2] != plain_losses[2]
    name = "encoder.convolutions.0.weight"
    assert not torch.equal(plain[name], aligned[name])


def test_the_same_seed_gives_the_same_weights() -> None:
    assert same(trained()[1], trained()[1])
    assert not same(trained()[1], trained(seed=6)[1])


def test_values_name_what_there_is() -> None:
    assert set(trainer(texts=None, alignment_weight=0).learn(batch(0)).values()) == {
        "loss",
        "classification",
    }
    assert set(trainer().learn(batch(0)).values()) == {"loss", "classification", "alignment"}


@pytest.mark.parametrize("what", ["waveform", "log-mel"])
def test_what_is_mixed_is_heard_in_its_share(what: str) -> None:
    """Of log-mel spectrograms the mixture is linear; of waveforms it is that of the waveforms."""
    made = trainer(mixup_of=what, **{**EVERYTHING_FIXED, "mixup_alpha": 1})
    noise = batch(0, share=0.7)
    heard = made._heard(noise, torch.Generator())
    if what == "waveform":
        mixed = 0.7 * noise.waveform + 0.3 * noise.waveform[noise.partner]
        expected = made.tagger.log_mel(mixed)
    else:
        each = made.tagger.log_mel(noise.waveform)
        expected = 0.7 * each + 0.3 * each[noise.partner]
    torch.testing.assert_close(heard, expected)


def test_gathered_batches_make_one_step_with_the_mean_of_their_gradients() -> None:
    """The same batch twice is the batch once: batch norm sees the same each time."""
    once = trainer(**EVERYTHING_FIXED, texts=None, alignment_weight=0)
    once.learn(batch(0, share=1))
    twice = trainer(**EVERYTHING_FIXED, texts=None, alignment_weight=0)
    before = {name: tensor.clone() for name, tensor in twice.tagger.named_parameters()}
    twice.learn(batch(0, share=1), 2, ends_step=False)
    assert all(torch.equal(now, before[name]) for name, now in twice.tagger.named_parameters())
    twice.learn(batch(0, share=1), 2)
    assert (once.steps_done, twice.steps_done) == (1, 1)
    for (name, first), second in zip(
        once.tagger.named_parameters(), twice.tagger.parameters(), strict=True
    ):
        torch.testing.assert_close(first, second, msg=name)


def test_a_frozen_encoder_stays_as_it_is_to_the_bit() -> None:
    start = {name: tensor.clone() for name, tensor in trainer().tagger.state_dict().items()}
    weights = trained(freeze_encoder=True, alignment="head")[1]
    for name, tensor in weights.items():
        assert torch.equal(tensor, start[name]) == (not name.startswith("head")), name


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_low_precision_learns_nearly_the_same(precision: str) -> None:
    losses = trained(precision=precision)[0]
    assert losses == pytest.approx(trained()[0], rel=0.02)
    assert losses != trained()[0]
