"""The model that is judged: a run's, or any model's file, matched with the labels by their ids."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.context import StageContext
from stages.errors import ArtifactError, UsageError
from stages.evaluate.labels import Labels
from stages.evaluate.settings import EvaluateSettings
from stages.model_names import names_published
from stages.models.checkpoint import Checkpoint, load_checkpoint
from stages.models.devices import choose_device
from stages.models.public_start import open_model, open_published

_NAMED = 5  # of the labels that a model does not know, in a warning


@dataclass(frozen=True)
class JudgedModel:
    """A model, and which of its outputs is which label.

    Attributes:
        source: where it is from, for messages.
        checkpoint: ready to score.
        outputs: for each label its output; None where the model has none.
    """

    source: str
    checkpoint: Checkpoint
    outputs: tuple[int | None, ...]

    def for_labels(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Choose scores (clips, labels) from scores (clips, outputs): 0 for an unknown label."""
        chosen = np.zeros((len(scores), len(self.outputs)), dtype=np.float32)
        known = [label for label, output in enumerate(self.outputs) if output is not None]
        chosen[:, known] = scores[:, [output for output in self.outputs if output is not None]]
        return chosen

    def unknown(self, labels: Labels) -> tuple[str, ...]:
        """Ids of the labels that the model has no output for."""
        pairs = zip(labels.mids, self.outputs, strict=True)
        return tuple(mid for mid, output in pairs if output is None)


def open_judged(settings: EvaluateSettings, labels: Labels, context: StageContext) -> JudgedModel:
    """Open the run's model, whose labels must be these, or another one, which knows some of them.

    Raises:
        UsageError: `model` is neither a file nor a short name.
        ArtifactError: the file is missing or no model; a run's is for other labels; any other knows
            none of these.
    """
    if settings.model is not None:
        return _open_other(settings.model, settings, labels, context)
    path = context.workspace / "runs" / str(settings.name) / "model.safetensors"
    checkpoint = load_checkpoint(path, choose_device(settings.device))
    _check_labels(path, checkpoint.header.mids, labels)
    _warn_of_other_clips(str(path), checkpoint.header.lineage, context)
    return JudgedModel(str(path), checkpoint, tuple(range(len(labels))))


def _open_other(
    model: str, settings: EvaluateSettings, labels: Labels, context: StageContext
) -> JudgedModel:
    device, file = choose_device(settings.device), settings.model_file()
    if names_published(model):
        checkpoint = open_published(model, device, context.reporter.line)
    elif file is not None:
        checkpoint = open_model(file, device)
    else:
        raise UsageError(
            f"--model {model} is neither a file nor a short name", f"name a run with --name {model}"
        )
    outputs = {mid: output for output, mid in enumerate(checkpoint.header.mids)}
    judged = JudgedModel(model, checkpoint, tuple(outputs.get(mid) for mid in labels.mids))
    _warn_of_unknown(judged, labels, context)
    if json.loads(checkpoint.header.lineage):
        _warn_of_other_clips(model, checkpoint.header.lineage, context)
    return judged


def _warn_of_unknown(judged: JudgedModel, labels: Labels, context: StageContext) -> None:
    """Say which labels the model does not know; one that knows none cannot be judged."""
    unknown = judged.unknown(labels)
    if len(unknown) == len(labels):
        raise ArtifactError(
            f"{judged.source} knows none of the workspace's {len(labels)} labels: it has"
            f" {judged.checkpoint.header.mids[0]!r}, ..., the workspace {labels.mids[0]!r}, ...",
            "evaluate a model whose labels have the same ids, or train it for these:"
            " `spa train --init`",
        )
    if unknown:
        names = dict(zip(labels.mids, labels.display_names, strict=True))
        shown = ", ".join(names[mid] for mid in unknown[:_NAMED])
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        context.reporter.warn(
            f"{judged.source} does not know {len(unknown)} of the {len(labels)} labels: {shown}{more};"
            " it counts as never giving them (score 0)"
        )


def _check_labels(path: Path, mids: tuple[str, ...], labels: Labels) -> None:
    """Refuse a run whose outputs are not the workspace's labels, in their order."""
    if mids == labels.mids:
        return
    same = (a == b for a, b in zip(mids, labels.mids, strict=False))
    first = next((index for index, equal in enumerate(same) if not equal), None)
    if first is None:
        what = f"it has {len(mids)} labels, the workspace {len(labels)}"
    else:
        what = f"its label {first} is {mids[first]!r}, the workspace's {labels.mids[first]!r}"
    raise ArtifactError(
        f"{path} was trained for other labels: {what}",
        f"evaluate it in the workspace that it was trained in, train again, or match labels by their"
        f" ids with --model {path}",
    )


def _warn_of_other_clips(source: str, lineage: str, context: StageContext) -> None:
    """The splits may have changed since: clips that it was trained on may be among those scored."""
    trained_on = json.loads(lineage).get("inputs", {}).get("clips.parquet")
    if trained_on != context.lineage.inputs["clips.parquet"]:
        context.reporter.warn(
            f"{source} was trained on another clips.parquet than the workspace now has: clips that it "
            "has been trained on may be among those that it is judged by"
        )
