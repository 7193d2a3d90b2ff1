"""In which numbers encoder and head compute, and the step of the optimiser that goes with them."""

from typing import Any, Literal

import torch
from torch import Tensor

from stages.train.optimiser import trained_parameters


class Precision:
    """Mixed precision (Micikevicius et al., ICLR 2018, arXiv 1710.03740).

    Weights stay float32. With float16 the loss is scaled up, so that small gradients do not vanish
    (section 3.2): where they overflow, the step is left out and the scale halved. bfloat16 has the
    range of float32 and needs none of that.

    Attributes:
        dtype: what matrix products and convolutions compute in.
    """

    def __init__(
        self, name: Literal["auto", "float32", "bfloat16", "float16"], device: torch.device
    ) -> None:
        """Choose by name; `auto` is bfloat16 on CUDA, float32 on the CPU."""
        if name == "auto":
            name = "bfloat16" if device.type == "cuda" else "float32"
        self.dtype = {
            "float32": torch.float32,
            "bfloat16": torch.bfloat16,
            "float16": torch.float16,
        }[name]
        self._device = device
        self._scaler = torch.amp.GradScaler(device.type, enabled=self.dtype == torch.float16)

    def autocast(self) -> torch.autocast:
        """Return the context for encoder, head and projection; losses are computed outside it."""
        enabled = self.dtype != torch.float32
        return torch.autocast(self._device.type, self.dtype if enabled else None, enabled=enabled)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a scalar loss, scaled up where that is needed."""
        scaled: Tensor = self._scaler.scale(loss)
        scaled.backward()  # type: ignore[no-untyped-call]  # torch has no type here

    def step(self, optimiser: torch.optim.Optimizer, largest_norm: float) -> None:
        """Scale the gradients back, clip their norm to `largest_norm`, and move the weights.

        With float16, gradients that overflowed move nothing.
        """
        self._scaler.unscale_(optimiser)
        torch.nn.utils.clip_grad_norm_(trained_parameters(optimiser), largest_norm)
        self._scaler.step(optimiser)
        self._scaler.update()

    def state_dict(self) -> dict[str, Any]:
        """Return the scale and its history; nothing without a scale."""
        return self._scaler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict` of the same precision."""
        self._scaler.load_state_dict(state)
