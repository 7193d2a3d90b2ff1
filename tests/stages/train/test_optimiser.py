"""AdamW over a tagger: which parameters move, how far, and that none is scrambled on the way."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from stages.models.encoders import ENCODERS
from stages.models.tagger import Tagger
from stages.train.choices.optimisation import OptimisationChoices
from stages.train.optimiser import (
    make_optimiser,
    set_learning_rate,
    set_training_mode,
    trained_parameters,
)


def small(seed: int = 0) -> Tagger:
    torch.manual_seed(seed)
    return Tagger("small", 3, text_dimensions=8)


def give_gradients(tagger: Tagger, seed: int = 1) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in tagger.parameters():
        drawn = torch.randn(parameter.shape, generator=generator)
        drawn += drawn.sign()  # none is near zero, where AdamW's epsilon counts
        parameter.grad = torch.empty_like(parameter).copy_(drawn)


def weights_of(tagger: Tagger) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in tagger.named_parameters()}


def test_the_first_step_is_adamws_with_each_layers_own_rate() -> None:
    """AdamW's first step: w - rate * (sign(gradient) + decay * w), as both moments are unbiased."""
    tagger = small()
    settings = OptimisationChoices(layer_decay=0.5, weight_decay=0.2)
    optimiser = make_optimiser(tagger, settings, 1.0)
    set_learning_rate(optimiser, 0.01)
    before = weights_of(tagger)
    give_gradients(tagger)
    optimiser.step()
    layers = {"head": 0, "projection": 0, "fc": 1, "bn0": 5}
    for name, after in tagger.named_parameters():
        parts = name.removeprefix("encoder.").split(".")
        above = layers[parts[0]] if parts[0] in layers else 5 - int(parts[1])
        rate = 0.01 * 0.5**above
        decay = 0.2 if before[name].ndim > 1 else 0.0
        assert after.grad is not None
        expected = before[name] - rate * (after.grad.sign() + decay * before[name])
        torch.testing.assert_close(after.detach(), expected, rtol=1e-5, atol=1e-6, msg=name)


@pytest.mark.parametrize("name", ENCODERS)
def test_each_parameter_is_in_one_group_and_the_order_is_always_the_same(name: str) -> None:
    with torch.device("meta"):
        taggers = [Tagger(name, 3, text_dimensions=8) for _ in range(2)]
    settings = OptimisationChoices(layer_decay=0.75)
    orders = []
    for tagger in taggers:
        names = {parameter: name for name, parameter in tagger.named_parameters()}
        parameters = trained_parameters(make_optimiser(tagger, settings, 1e-3))
        assert len(parameters) == len(names) == len(set(parameters))
        orders.append([names[parameter] for parameter in parameters])
    assert orders[0] == orders[1]


def test_positions_and_tokens_do_not_decay_while_matrices_do() -> None:
    with torch.device("meta"):
        tagger = Tagger("passt", 3)
    optimiser = make_optimiser(tagger, OptimisationChoices(weight_decay=0.1), 1e-3)
    decay = {
        parameter: group["weight_decay"]
        for group in optimiser.param_groups
        for parameter in group["params"]
    }
    passt = tagger.encoder
    assert decay[passt.get_parameter("time_new_pos_embed")] == 0
    assert decay[passt.get_parameter("cls_token")] == 0
    assert decay[passt.get_parameter("blocks.3.mlp.fc1.bias")] == 0
    assert decay[passt.get_parameter("blocks.3.mlp.fc1.weight")] == 0.1
    assert decay[tagger.get_parameter("head.1.weight")] == 0.1


def stepped(lay_out: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    """Weights after three steps with gradients, and moments after the second, as `lay_out` has them."""
    tagger = small()
    optimiser = make_optimiser(tagger, OptimisationChoices(), 1e-2)
    for step in range(3):
        give_gradients(tagger, step)
        for parameter in tagger.parameters():
            assert parameter.grad is not None
            parameter.grad = lay_out(parameter.grad)
        optimiser.step()
        state = copy.deepcopy(optimiser.state_dict())
        for moments in state["state"].values():
            moments.update({name: lay_out(moments[name]) for name in ("exp_avg", "exp_avg_sq")})
        optimiser = make_optimiser(tagger, OptimisationChoices(), 1e-2)
        optimiser.load_state_dict(state)
    return weights_of(tagger)


def test_how_gradients_and_moments_lie_in_memory_changes_nothing() -> None:
    """The weights of `small` lie channels last; a file or an all-reduce gives the plain order."""
    kept, plain = stepped(lambda x: x), stepped(lambda x: x.contiguous())
    assert not small().get_parameter("encoder.convolutions.1.weight").is_contiguous()
    assert all(torch.equal(kept[name], plain[name]) for name in kept)


def test_a_frozen_encoder_stays_to_the_bit_while_the_head_learns() -> None:
    tagger = small()
    settings = OptimisationChoices(freeze_encoder=True)
    optimiser = make_optimiser(tagger, settings, 1e-2)
    before = copy.deepcopy(tagger.state_dict())
    for _ in range(2):
        set_training_mode(tagger, settings)
        tagger(torch.randn(2, 16000)).square().sum().backward()
        optimiser.step()
    moved = {name for name, value in tagger.state_dict().items() if not value.equal(before[name])}
    assert moved == {"head.weight", "head.bias"}, "no projection was used"
    assert tagger.head.training


def test_without_freezing_everything_trains_again_after_validation() -> None:
    tagger = small().eval()
    settings = OptimisationChoices()
    make_optimiser(tagger, settings, 1e-2)
    set_training_mode(tagger, settings)
    assert all(module.training for module in tagger.modules())
    assert all(parameter.requires_grad for parameter in tagger.parameters())
