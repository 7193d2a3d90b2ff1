"""Put one run beside another on the same clips."""

from pathlib import Path

import numpy as np

from stages.errors import ArtifactError
from stages.evaluate.predictions import Predictions, read_predictions


def read_other(workspace: Path, against: str, ours: Predictions, split: str) -> Predictions:
    """Read the scores of the run `against`, having checked that they are of the same clips.

    Raises:
        ArtifactError: other clips, another order, or other targets.
    """
    path = workspace / "runs" / against / "scores.parquet"
    other = read_predictions(path, ours.scores.shape[1])
    again = f"run `spa evaluate --name {against} --split {split} --workspace {workspace}` first"
    if len(other.clip_ids) != len(ours.clip_ids):
        raise ArtifactError(
            f"{path} has {len(other.clip_ids)} clips, this run {len(ours.clip_ids)}", again
        )
    for theirs, our in zip(other.clip_ids, ours.clip_ids, strict=True):
        if theirs != our:
            raise ArtifactError(f"{path} has clip {theirs!r} where this run has {our!r}", again)
    differs = (other.targets != ours.targets).any(axis=1)
    if differs.any():
        clip = ours.clip_ids[int(np.argmax(differs))]
        raise ArtifactError(f"{path} has other targets for clip {clip!r}", again)
    return other
