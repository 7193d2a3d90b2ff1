"""Averages of the weights: what is in them, when, and that they go on where they stopped."""

import copy

import pytest
import torch

from stages.models.tagger import Tagger
from stages.train.averaging import WeightAverage, make_average
from stages.train.settings import TrainSettings

WEIGHT, STATISTIC = "head.bias", "encoder.bn0.running_mean"


def tagger() -> Tagger:
    torch.manual_seed(0)
    return Tagger("small", 2, text_dimensions=4)


def put(model: Tagger, value: float) -> None:
    """Set one weight and one statistic of a batch norm."""
    with torch.no_grad():
        model.get_parameter(WEIGHT).fill_(value)
        model.get_buffer(STATISTIC).fill_(-value)


def seen(average: WeightAverage) -> float:
    """The value that was put, as the average has it."""
    weights = average.weights()
    assert weights[WEIGHT][0] == pytest.approx(-weights[STATISTIC][0])
    return float(weights[WEIGHT][0])


def test_without_an_average_the_weights_are_the_taggers_own_and_copies() -> None:
    model = tagger()
    average = make_average(model, TrainSettings(average="none"))
    average.update_after_step()
    average.update_after_epoch(1, 1)
    weights = average.weights()
    put(model, 7.0)
    assert average.tagger is model
    assert seen(average) == 7.0
    assert weights[WEIGHT][0] != 7.0
    assert average.state_dict() == {}


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_ema_is_the_weighted_mean_of_all_steps(decay: float) -> None:
    """Each step's share of the mean, multiplied out: early ones are soon forgotten in a short training."""
    model = tagger()
    average = make_average(model, TrainSettings(average="ema", ema_decay=decay))
    assert average.tagger is model, "nothing is averaged yet"
    shares: list[float] = []
    for step in range(20):
        kept = 0.0 if step == 0 else min(decay, (1 + step) / (10 + step))
        shares = [share * kept for share in shares] + [1 - kept]
        put(model, float(step**2))
        average.update_after_step()
        expected = sum(share * i**2 for i, share in enumerate(shares))
        assert sum(shares) == pytest.approx(1)
        assert seen(average) == pytest.approx(expected, rel=1e-5)
    assert shares[0] < 1e-3


@pytest.mark.parametrize(
    ("share", "epochs", "first"), [(0.25, 8, 7), (0.25, 10, 8), (0.1, 1, 1), (1.0, 5, 1)]
)
def test_swa_is_the_mean_over_the_last_epochs(share: float, epochs: int, first: int) -> None:
    model = tagger()
    average = make_average(model, TrainSettings(average="swa", swa_share=share))
    for epoch in range(1, epochs + 1):
        put(model, float(epoch))
        average.update_after_step()
        average.update_after_epoch(epoch, epochs)
        taken = range(first, epoch + 1) if epoch >= first else [epoch]
        assert seen(average) == pytest.approx(sum(taken) / len(taken))
        assert (average.tagger is model) == (epoch < first)


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_the_average_is_a_tagger_of_the_same_names_in_evaluation_mode(kind: str) -> None:
    model = tagger()
    settings = TrainSettings.model_validate({"average": kind, "swa_share": 1.0})
    average = make_average(model.train(), settings)
    average.update_after_step()
    average.update_after_epoch(1, 2)
    assert list(average.weights()) == list(model.state_dict())
    waveform = torch.randn(2, 16000)
    own = average.tagger(waveform)
    assert not own.requires_grad
    torch.testing.assert_close(own, model.eval()(waveform).detach())


@pytest.mark.parametrize("kind", ["ema", "swa"])
def test_an_average_that_is_taken_up_again_goes_on_to_the_bit(kind: str) -> None:
    settings = TrainSettings.model_validate({"average": kind, "swa_share": 1.0})
    model = tagger()
    whole = make_average(model, settings)
    generator = torch.Generator().manual_seed(0)

    def go_on(average: WeightAverage, epoch: int) -> None:
        average.update_after_step()
        average.update_after_epoch(epoch, 6)

    for epoch in range(1, 7):
        value = float(torch.randn((), generator=generator))
        put(model, value)
        go_on(whole, epoch)
        if epoch == 3:
            other = copy.deepcopy(model)
            resumed = make_average(other, settings)
            resumed.load_state_dict(copy.deepcopy(whole.state_dict()))
        elif epoch > 3:
            put(other, value)
            go_on(resumed, epoch)
    ours, theirs = whole.weights(), resumed.weights()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "swa"),
        ({"patience": 3}, "none"),
        ({"patience": 3, "average": "swa"}, "swa"),
        ({"average": "none"}, "none"),
        ({"average": "ema"}, "ema"),
    ],
)
def test_the_last_epochs_are_averaged_unless_something_else_is_asked_for(
    given: dict[str, object], expected: str
) -> None:
    assert TrainSettings.model_validate(given).averaging == expected
