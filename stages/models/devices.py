"""Which device to compute on."""

import torch

from stages.errors import UsageError


def choose_device(name: str) -> torch.device:
    """Return the device for `auto`, `cpu` or `cuda`; `auto` is CUDA when there is one.

    Raises:
        UsageError: `cuda` was asked for and there is none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            "--device cuda: torch sees no CUDA device here", "use --device cpu or auto"
        )
    return torch.device(name)
