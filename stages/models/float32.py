"""Weights as the models here compute with them: finite numbers in float32."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from stages.errors import ArtifactError

_VARIANCE = "running_var"  # of batch norm, which takes its root


def check_types(path: Path, found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Refuse whole or complex numbers where there are to be real ones, and the other way round.

    Raises:
        ArtifactError: a weight in the file at `path` is of another kind of number.
    """
    for name, value in found.items():
        wanted = expected.get(name)
        if wanted is not None and value.is_floating_point() != wanted.is_floating_point():
            raise ArtifactError(
                f"{path}: '{name}' is of type {value.dtype}, not {wanted.dtype}",
                "give the weights as they were trained, in floating-point numbers",
            )


def in_float32(path: Path, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights with all floating-point numbers in float32; whole numbers stay.

    Numbers of 8 and 16 bits stay exactly what they are; those of 64 bits are rounded.

    Raises:
        ArtifactError: a weight of the file at `path` is not finite in float32, or a variance below 0.
    """
    converted = {
        name: value.to(torch.float32) if value.is_floating_point() else value
        for name, value in weights.items()
    }
    for name, value in converted.items():
        wrong = None
        if not value.isfinite().all():
            wrong = "are not all finite numbers"
        elif name.endswith(_VARIANCE) and bool((value < 0).any()):
            wrong = "are variances, but not all at least 0"
        if wrong is not None:
            message = f"{path}: the weights of '{name}' {wrong}"
            raise ArtifactError(
                message, "the file is damaged, or its training failed: give another"
            )
    return converted
