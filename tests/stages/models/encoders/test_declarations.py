"""What every encoder declares of itself: its layers, and the windows that it can hear."""

import math

import pytest
import torch
from torch import Tensor, nn

from stages.audio.log_mel import LogMel
from stages.errors import UsageError
from stages.models.encoders import ENCODERS
from stages.models.encoders.base import Encoder

LENGTHS_SECONDS = (0.5, 1.0, 2.0, 10.0, 12.0, 30.0)


@pytest.fixture(scope="module", params=ENCODERS)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Each encoder, of shapes and names without numbers."""
    with torch.device("meta"):
        return ENCODERS[request.param]()


def learn_shapes(encoder: Encoder, seconds: float) -> None:
    """Forward and backward of two windows, from the spectrogram on without numbers."""
    front_end = encoder.front_end_for(seconds)
    waveform = torch.zeros(1, round(seconds * front_end.sample_rate))
    log_mel = LogMel(front_end)(waveform).to("meta").expand(2, -1, -1)
    logits = encoder.make_head(3).to("meta")(encoder.train()(log_mel))
    assert logits.shape == (2, 3)
    encoder.zero_grad(set_to_none=True)
    logits.sum().backward()
    assert all(parameter.grad is not None for parameter in encoder.parameters())


def test_every_parameter_is_in_one_layer_and_no_layer_is_empty(encoder: Encoder) -> None:
    used = set()
    for parameter, _ in encoder.named_parameters():
        layers = [i for i, names in enumerate(encoder.layer_names) if parameter.startswith(names)]
        assert len(layers) == 1, parameter
        assert encoder.layers_above(parameter) == len(encoder.layer_names) - layers[0]
        used.update(layers)
    assert used == set(range(len(encoder.layer_names)))


def test_layers_come_in_the_order_in_which_the_encoder_uses_them(encoder: Encoder) -> None:
    above: list[int] = []

    def note(module: nn.Module, _: tuple[Tensor, ...]) -> None:
        above.append(layers[module])

    layers, hooks = {}, []
    for where, module in encoder.named_modules():
        own = [f"{where}.{parameter}" for parameter, _ in module.named_parameters(recurse=False)]
        if own and where and not list(module.children()):
            layers[module] = encoder.layers_above(own[0])
            hooks.append(module.register_forward_pre_hook(note))
    encoder(torch.zeros(2, 96, encoder.front_end.mel_bands, device="meta"))
    for hook in hooks:
        hook.remove()
    assert above == sorted(above, reverse=True)
    assert set(above) == {*range(1, len(encoder.layer_names) + 1)}


def test_undecayed_parameters_are_those_outside_of_layers_that_multiply(encoder: Encoder) -> None:
    """Tokens and positions are added, weights of several dimensions are multiplied with."""
    added = {
        parameter.rsplit(".", maxsplit=1)[-1]
        for parameter, value in encoder.named_parameters()
        if value.ndim > 1 and not parameter.endswith("weight")
    }
    assert added == set(encoder.undecayed_names)


@pytest.mark.parametrize("seconds", LENGTHS_SECONDS)
def test_a_window_of_any_length_is_learnt_from_or_refused_by_name(
    encoder: Encoder, seconds: float
) -> None:
    shortest, longest = encoder.hears_seconds
    if shortest <= seconds <= longest:
        encoder.check_length(seconds)
        learn_shapes(encoder, seconds)
        return
    assert encoder.name in ("passt", "htsat")
    assert seconds > 10
    with pytest.raises(UsageError, match=f"encoder '{encoder.name}'.*{seconds:g} s") as caught:
        encoder.check_length(seconds)
    assert "--clip-seconds" in str(caught.value.next_step)


def test_the_declared_limits_are_the_true_ones(encoder: Encoder) -> None:
    shortest, longest = encoder.hears_seconds
    learn_shapes(encoder, shortest)
    with pytest.raises((UsageError, RuntimeError)):
        learn_shapes(encoder, 0.8 * shortest)
    if longest < math.inf:
        learn_shapes(encoder, longest)
        with pytest.raises(UsageError):
            learn_shapes(encoder, 1.02 * longest)


def test_patchout_is_refused_where_there_is_none(encoder: Encoder) -> None:
    encoder.set_patchout(time=0, mel=0, clip_seconds=10.0)
    if encoder.name != "passt":
        with pytest.raises(UsageError, match=f"--patchout-mel 4: encoder '{encoder.name}'"):
            encoder.set_patchout(time=0, mel=4, clip_seconds=10.0)


def test_weights_that_know_something_move_no_faster_than_random_ones(encoder: Encoder) -> None:
    assert 0 < encoder.fine_tuning_rate <= 3e-4
    assert encoder.learning_rate <= 4e-3
    transformer = encoder.name in ("ast", "passt", "htsat")
    assert transformer == (encoder.learning_rate < 5e-4)
