"""Read a CLIP checkpoint without trusting it, and load the text half of it strictly."""

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from stages.errors import ArtifactError

_OTHER_FILE = "give a checkpoint of this model, as .safetensors or as .pt with nothing but weights"


def read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Read the weights in a `.safetensors` file, or in any other file as PyTorch saves them.

    No code in the file runs: a pickle with anything but weights is refused.

    Raises:
        ArtifactError: the file cannot be read, or holds no weights.
    """
    try:
        content = _read(path)
    except (OSError, SafetensorError, RuntimeError, ValueError, EOFError) as error:
        raise _unreadable(path, error) from error
    except pickle.UnpicklingError as error:
        message = f"{path} holds more than weights, or is no checkpoint: it was not loaded"
        raise ArtifactError(message, _OTHER_FILE) from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]  # what a training run saves beside its optimiser
    if not isinstance(content, Mapping):
        raise ArtifactError(f"{path} holds a {type(content).__name__}, no weights", _OTHER_FILE)
    return {
        str(name).removeprefix("module."): value  # the wrapper of several GPUs
        for name, value in content.items()
        if isinstance(value, torch.Tensor)
    }


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


def _read(path: Path) -> object:
    if path.suffix == ".safetensors":
        return load_file(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is odd about the file is said in the error
        return torch.load(path, map_location="cpu", weights_only=True)


def _unreadable(path: Path, error: Exception) -> ArtifactError:
    first_line = (str(error).splitlines() or [type(error).__name__])[0]
    return ArtifactError(f"{path} cannot be read as a checkpoint: {first_line}", _OTHER_FILE)
