"""torch.compile for the encoder."""

import logging
import os

import torch
from torch import Tensor

from stages.errors import SpaError
from stages.models.tagger import Tagger


def compile_encoder(tagger: Tagger) -> None:
    """Compile the encoder from its first use on, in place: names in the state_dict stay.

    A small function is compiled first, so that a machine without a compiler is found out before the
    training starts. From then on, of what torch's compiler logs errors alone are shown; all of it where
    TORCH_LOGS asks for it.

    Raises:
        SpaError: torch cannot compile here.
    """
    if "TORCH_LOGS" not in os.environ:
        torch._logging.set_logs(all=logging.ERROR)  # type: ignore[attr-defined]  # documented so
    device = next(tagger.parameters()).device
    try:
        torch.compile(_trial)(torch.zeros(8, device=device))
    except (RuntimeError, OSError) as error:
        needs = "a C++ compiler" if device.type == "cpu" else "Triton and a C compiler"
        detail = str(error).partition("\n")[0][:200]
        raise SpaError(
            f"--compile: torch.compile does not work here: {detail}",
            f"install {needs} (on Debian: build-essential), or train without --compile",
        ) from error
    tagger.encoder.compile()


def _trial(x: Tensor) -> Tensor:
    return torch.sin(x) + 1.0
