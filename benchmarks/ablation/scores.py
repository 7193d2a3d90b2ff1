"""What stays of a training: its scores, and its measures on every resample of the clips."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.artifacts import read_parquet
from stages.atomic import replacing
from stages.evaluate.scores_file.predictions import read_predictions
from stages.evaluate.space import space_of_workspace
from stages.metrics.bootstrap import bootstrap
from stages.metrics.ranking import rank
from stages.reporter import QuietReporter

RESAMPLES = 1000


@dataclass(frozen=True)
class Replicates:
    """A training's measures on resamples of the clips, the same resamples for every training.

    mAP, OmAP: (resamples,) float64.
    """

    mAP: NDArray[np.float64]  # noqa: N815 - the field's own spelling
    OmAP: NDArray[np.float64]


def keep_scores(workspace: Path, run: str, path: Path, seed: int) -> None:
    """Write scores, targets, clip ids, recordings and replicates of an evaluated run to an npz.

    Scores stay float32: float16 would make ties of confident ones. Recordings are drawn, each with
    all its clips, and the draws follow from `seed` and the number of recordings alone: trainings
    that are judged by the same clips get the same resamples.
    """
    space = space_of_workspace(workspace, QuietReporter())
    found = read_predictions(workspace / "runs" / run / "scores.parquet", space.labels)
    clips = read_parquet(workspace / "clips.parquet", "clips")
    recording_of = dict(
        zip(clips["clip_id"].to_pylist(), clips["recording_id"].to_pylist(), strict=True)
    )
    recordings = np.array([recording_of[clip_id] for clip_id in found.clip_ids])
    groups = np.unique(recordings, return_inverse=True)[1].astype(np.int64)
    ranked = rank(found.scores, found.targets, space.distances.values)
    (replicates,) = bootstrap([ranked], RESAMPLES, seed, groups=groups)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            clip_id=np.array(found.clip_ids),
            recording_id=recordings,
            scores=np.asarray(found.scores, dtype=np.float32),
            targets=found.targets,
            mAP=replicates.mean_average_precision,
            OmAP=replicates.ontology_mean_average_precision,
        )


def read_replicates(path: Path) -> Replicates:
    """Read what `keep_scores` kept of the resamples."""
    with np.load(path, allow_pickle=False) as found:
        return Replicates(found["mAP"], found["OmAP"])
