"""Scores that the last evaluation of the same model on the same clips has left."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.artifacts import LINEAGE_KEY, open_parquet
from stages.context import StageContext
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.predictions import read_predictions
from stages.evaluate.settings import EvaluateSettings
from stages.records import output_hash, read_record

# Settings that decide the scores; the others decide what is made of them.
_DECIDE = ("name", "model", "split", "batch_size", "device")


def kept_scores(
    settings: EvaluateSettings, labels: Labels, clip_ids: list[str], context: StageContext
) -> NDArray[Any] | None:
    """Scores (clips, labels) of the last evaluation, where it would give the same again.

    None where the model, the clips, what decides the scores or a package has changed, where the file
    is not as it was written, or where the user forces a new evaluation.
    """
    name = f"runs/{settings.name}/scores.parquet"
    path = context.workspace / name
    record = read_record(context.workspace, f"evaluate-{settings.name}")
    if record is None or context.force:
        return None
    if not path.is_file() or record.outputs.get(name) != output_hash(path):
        return None
    with open_parquet(path) as file:
        made_from = json.loads((file.schema_arrow.metadata or {}).get(LINEAGE_KEY, b"{}"))
    now = context.lineage
    same_settings = all(
        made_from.get("settings", {}).get(key) == now.settings[key] for key in _DECIDE
    )
    model = settings.model or f"runs/{settings.name}/model.safetensors"
    inputs = ("clips.parquet", "labels.parquet", model)
    same_inputs = all(made_from.get("inputs", {}).get(key) == now.inputs.get(key) for key in inputs)
    if not same_settings or not same_inputs or made_from.get("versions") != now.versions:
        return None
    found = read_predictions(path, labels)
    return np.asarray(found.scores) if found.clip_ids == clip_ids else None
