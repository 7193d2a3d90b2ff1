"""AdamW over the tagger's parameters: which of them move, how fast, and which decay."""

from typing import Any

import torch
from torch import Tensor, nn

from stages.models.tagger import Tagger
from stages.train.choices.optimisation import OptimisationChoices


def make_optimiser(tagger: Tagger, settings: OptimisationChoices, peak: float) -> torch.optim.AdamW:
    """Build AdamW (Loshchilov and Hutter, ICLR 2019, arXiv 1711.05101, algorithm 2).

    - Layer-wise decay of the learning rate: a parameter with n layers above it, the head among them,
      learns at layer_decay^n of the rate (Clark et al., ELECTRA, ICLR 2020, arXiv 2003.10555;
      Bao et al., BEiT, ICLR 2022, arXiv 2106.08254). Head and projection
      learn at the full rate. Each parameter group has its factor under "share".
    - No weight decay for parameters of one dimension or none (biases, norms) and for those that the
      encoder names (tokens, positions).
    - With freeze_encoder the encoder's parameters are left out, and take no gradients from here on.

    The fused kernel is used: on one CPU core a step of mn04 takes 3.2 ms instead of 8.6 of the
    others, of small 1.4 ms instead of 2.4.

    Args:
        tagger: with its weights, on the device that it is trained on.
        settings: of the stage.
        peak: learning rate to start with; `set_learning_rate` changes it.
    """
    tagger.encoder.requires_grad_(not settings.freeze_encoder)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in tagger.named_parameters():
        if not parameter.requires_grad:
            continue
        kind = _share(tagger, name, settings), _decay(tagger, name, parameter, settings)
        groups.setdefault(kind, []).append(parameter)
    optimiser = torch.optim.AdamW(
        [
            {"params": parameters, "share": share, "weight_decay": decay}
            for (share, decay), parameters in groups.items()
        ],
        betas=(settings.beta1, 0.999),
        fused=True,
    )
    # The kernel reads parameters, gradients and moments side by side as they lie in memory: one that
    # lies otherwise (all-reduced from a flat buffer, loaded from a file) would be applied scrambled.
    optimiser.register_step_pre_hook(_lay_out_gradients)
    optimiser.register_load_state_dict_post_hook(_lay_out_moments)
    set_learning_rate(optimiser, peak)
    return optimiser


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Let head and projection learn at `rate`, the encoder's layers at their shares of it."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["share"]


def trained_parameters(optimiser: torch.optim.Optimizer) -> list[nn.Parameter]:
    """List what the optimiser moves, in an order that depends on model and settings alone."""
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def set_training_mode(tagger: Tagger, settings: OptimisationChoices) -> None:
    """Put the tagger in training mode, a frozen encoder in evaluation mode.

    That one's batch norms keep their statistics, and it drops nothing, neither units nor patches.
    """
    tagger.train()
    tagger.encoder.train(not settings.freeze_encoder)


def _share(tagger: Tagger, name: str, settings: OptimisationChoices) -> float:
    """Share of the learning rate, in (0, 1], of a parameter of the tagger."""
    if not name.startswith("encoder."):
        return 1.0
    above = tagger.encoder.layers_above(name.removeprefix("encoder."))
    return float(settings.layer_decay**above)


def _decay(
    tagger: Tagger, name: str, parameter: nn.Parameter, settings: OptimisationChoices
) -> float:
    """Weight decay of a parameter of the tagger."""
    last = name.rsplit(".", maxsplit=1)[-1]
    named = name.startswith("encoder.") and last in tagger.encoder.undecayed_names
    return 0.0 if parameter.ndim <= 1 or named else settings.weight_decay


def _lay_out_gradients(optimiser: torch.optim.Optimizer, *_: Any) -> None:
    for parameter in trained_parameters(optimiser):
        if parameter.grad is not None:
            parameter.grad = _laid_out(parameter.grad, parameter)


def _lay_out_moments(optimiser: torch.optim.Optimizer) -> None:
    for parameter in trained_parameters(optimiser):
        state = optimiser.state.get(parameter, {})
        for name in state.keys() & {"exp_avg", "exp_avg_sq"}:
            state[name] = _laid_out(state[name], parameter)


def _laid_out(values: Tensor, parameter: nn.Parameter) -> Tensor:
    """Return values as they are if they lie in memory as the parameter does, otherwise a copy that does."""
    if values.stride() == parameter.stride():
        return values
    return torch.empty_like(parameter, requires_grad=False).copy_(values)
