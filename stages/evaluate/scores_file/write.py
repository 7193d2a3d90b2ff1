"""Write scores.parquet."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa

from stages.artifacts import write_parquet
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.predictions import Predictions
from stages.lineage import Lineage
from stages.schemas import SCORES


def write_scores(path: Path, predictions: Predictions, labels: Labels, lineage: Lineage) -> None:
    """Write a model's scores (float32); the metadata `spa.labels` says which labels they are for."""
    clips, width = predictions.scores.shape
    lengths = predictions.targets.sum(axis=1)
    columns = {
        "clip_id": predictions.clip_ids,
        "scores": pa.ListArray.from_arrays(
            np.arange(clips + 1, dtype=np.int32) * np.int32(width),
            predictions.scores.reshape(-1),
            type=SCORES.field("scores").type,
        ),
        "targets": pa.ListArray.from_arrays(
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32),
            np.nonzero(predictions.targets)[1].astype(np.int32),
            type=SCORES.field("targets").type,
        ),
    }
    stated = {"labels": json.dumps(labels.mids)}
    write_parquet(path, "scores", columns, lineage, extra=stated)
