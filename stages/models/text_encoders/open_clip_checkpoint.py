"""Load the text half of a CLIP checkpoint, strictly."""

from collections.abc import Mapping
from pathlib import Path

import torch

from stages.errors import ArtifactError

_OTHER_FILE = "give a checkpoint of this model, as .safetensors or as .pt with nothing but weights"


def load_text_tower(
    tower: torch.nn.Module, state: Mapping[str, torch.Tensor], path: Path, model: str
) -> None:
    """Fill `tower` with the text weights in `state`; what is not of the text tower is left alone.

    The text weights may lie under `text.`, or at the top among a whole CLIP's or alone.

    Raises:
        ArtifactError: naming the first weight that is missing, unknown or of another shape.
    """
    expected = tower.state_dict()
    tops = {name.split(".")[0] for name in expected}
    found = {name[5:]: value for name, value in state.items() if name.startswith("text.")} or {
        name: value for name, value in state.items() if name.split(".")[0] in tops
    }
    problem = _first_difference(expected, found)
    if problem:
        raise ArtifactError(
            f"{path} does not fit the text tower of {model}: {problem}", _OTHER_FILE
        )
    tower.load_state_dict(found)


def _first_difference(
    expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]
) -> str | None:
    for name, value in expected.items():
        if name not in found:
            return f"it has no '{name}'"
        if found[name].shape != value.shape:
            shapes = f"{tuple(found[name].shape)}, not {tuple(value.shape)}"
            return f"'{name}' has the shape {shapes}"
    unknown = sorted(found.keys() - expected.keys())
    return f"'{unknown[0]}' is not part of it" if unknown else None
