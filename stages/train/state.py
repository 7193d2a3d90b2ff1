"""The state of a training on disk: with it a training that was stopped goes on to the very same end."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, Field
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from stages.atomic import replacing
from stages.errors import UnusableWorkError
from stages.lineage import file_sha256
from stages.models.save_weights import save_weights
from stages.train.step import Trainer

FOLDER = "training"  # in the staging folder
_FILE = "state.safetensors"
_KEY, _DIGEST = "progress", "sha256"


class Best(BaseModel):
    """The epoch that is kept, and what it measured on the validation clips.

    Attributes:
        epoch: from 1.
        measures: mAP and OmAP, or nothing.
        averaged: whether its weights are an average.
        sha256: of its model file.
    """

    model_config = ConfigDict(extra="forbid")

    epoch: int
    measures: dict[str, float]
    averaged: bool = False
    sha256: str = ""


class Progress(BaseModel):
    """How far a training has come.

    Attributes:
        epoch: finished epochs.
        batches: batches done in the epoch after those.
        steps: optimiser steps done.
        sums: of the measures of those batches.
        history: columns of history.parquet so far.
        best: the epoch that is kept so far.
        events: name of the folder of TensorBoard's events.
        scaler: state of the gradient scaler of float16.
        batch_size: clips a batch.
        seconds: spent in training.
    """

    model_config = ConfigDict(extra="forbid")

    epoch: int = 0
    batches: int = 0
    steps: int = 0
    sums: dict[str, float] = Field(default_factory=dict)
    history: dict[str, list[int | float | str]] = Field(default_factory=dict)
    best: Best | None = None
    events: str = ""
    scaler: dict[str, int | float] = Field(default_factory=dict)
    batch_size: int = 0
    seconds: float = 0.0

    @property
    def best_epoch(self) -> int:
        """The epoch that is kept; 0: none was trained."""
        return self.best.epoch if self.best else 0


def best_model(folder: Path, epoch: int) -> Path:
    """Where the model of the best epoch is kept."""
    return folder / f"best-{epoch}.safetensors"


def save_state(folder: Path, progress: Progress, trainer: Trainer) -> None:
    """Write progress and weights; what was there is replaced at once, or stays."""
    parts: dict[str, Mapping[str, Tensor]] = {
        "tagger": trainer.tagger.state_dict(),
        "optimiser": _optimiser_tensors(trainer.optimiser),
        "average": trainer.average.state_dict(),
    }
    tensors = {
        f"{part}/{name}": tensor.detach().cpu().contiguous().clone()
        for part, named in parts.items()
        for name, tensor in named.items()
    }
    progress.steps, progress.scaler = trainer.steps_done, trainer.precision.state_dict()
    folder.mkdir(exist_ok=True)
    with replacing(folder / _FILE) as path:
        text = progress.model_dump_json()
        save_weights(path, tensors, {_KEY: text, _DIGEST: _digest(text, tensors)})
    for old in folder.glob("best-*.safetensors"):
        if progress.best is None or old != best_model(folder, progress.best.epoch):
            old.unlink()


def read_state(folder: Path) -> bytes | None:
    """Read what `save_state` has written; None where nothing is saved.

    Raises:
        UnusableWorkError: it cannot be gone on from.
    """
    path = folder / _FILE
    if not path.exists():
        return None
    try:
        data = path.read_bytes()
        progress = _progress(data)
        if _metadata(data)[_DIGEST] != _digest(_metadata(data)[_KEY], load(data)):
            raise _unusable(f"{path} is damaged")
        best = progress.best
        if best is not None and file_sha256(best_model(folder, best.epoch)) != best.sha256:
            raise _unusable(f"{best_model(folder, best.epoch)} is not the model that was saved")
    except (OSError, SafetensorError, KeyError) as error:
        raise _unusable(f"{path}: {error}") from error
    return data


def saved_batch_size(folder: Path) -> int | None:
    """The batch size of the saved state; None where nothing is saved."""
    data = read_state(folder)
    return None if data is None else _progress(data).batch_size


def restored(data: bytes, trainer: Trainer) -> Progress:
    """Put a trainer into the state that `data` holds; return how far it was.

    Raises:
        UnusableWorkError: it is not of this training.
    """
    progress = _progress(data)
    parts: dict[str, dict[str, Tensor]] = {"tagger": {}, "optimiser": {}, "average": {}}
    try:
        for name, tensor in load(data).items():
            part, _, own = name.partition("/")
            parts[part][own] = tensor
        trainer.tagger.load_state_dict(parts["tagger"])
        _load_optimiser(trainer.optimiser, parts["optimiser"])
        trainer.average.load_state_dict(parts["average"])
        trainer.precision.load_state_dict(progress.scaler)
    except (SafetensorError, KeyError, RuntimeError, ValueError) as error:
        raise _unusable(str(error)) from error
    trainer.steps_done = progress.steps
    return progress


def _progress(data: bytes) -> Progress:
    try:
        return Progress.model_validate_json(_metadata(data)[_KEY])
    except (ValueError, KeyError, TypeError) as error:
        raise _unusable(str(error)) from error


def _metadata(data: bytes) -> dict[str, str]:
    length = int.from_bytes(data[:8], "little")
    metadata: dict[str, str] = json.loads(data[8 : 8 + length])["__metadata__"]
    return metadata


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of the progress and of all tensors by name: what a disk has changed is not trained on."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _unusable(why: str) -> UnusableWorkError:
    return UnusableWorkError(
        f"the saved state of this training cannot be gone on from: {' '.join(why.split())[:200]}",
        "start it from the beginning with --force",
    )


def _optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimiser.state_dict()["state"]
    return {
        f"{index}/{name}": value if isinstance(value, Tensor) else torch.tensor(float(value))
        for index, entries in state.items()
        for name, value in entries.items()
    }


def _load_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    loaded = optimiser.state_dict()
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, entry = name.partition("/")
        state.setdefault(int(index), {})[entry] = tensor
    optimiser.load_state_dict({**loaded, "state": state})
