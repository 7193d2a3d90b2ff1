"""Time an evaluation of AudioSet's size from a file of scores to report.html, and weigh the page.

    python benchmarks/report_time.py ../shared/data/audioset --keep audioset-report

The folder holds AudioSet's ontology.json, class_labels_indices.csv and eval_segments.csv. The 20,371
clips have their real labels; their scores are made, so that near labels are confused more than far
ones: the logistic function of -6 + [the label is the clip's] + 4 exp(-least distance / 2) + normal
noise, whose standard deviation rises from 1 for the first label to 3 for the last. The baseline, timed
beside it, is one numpy.argsort of the scores.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from omap_time import read_distances, read_mids, read_targets

from stages.evaluate.settings import EvaluateSettings
from stages.metrics.ranking import clip_categories
from stages.pipeline import EVALUATE
from stages.reporter import QuietReporter
from stages.runner import run_stage


def made_scores(audioset: Path, targets: np.ndarray, mids: Sequence[str], seed: int) -> np.ndarray:
    """Scores (clips, labels) float32 by the formula above."""
    distances = read_distances(audioset, list(mids)).astype(np.uint8)
    nearest = clip_categories(targets, distances).astype(np.float32)
    noise = np.random.default_rng(seed).standard_normal(targets.shape, dtype=np.float32)
    deviations = np.linspace(1, 3, len(mids), dtype=np.float32)
    logits = -6 + targets + 4 * np.exp(-nearest / 2) + deviations * noise
    return (1 / (1 + np.exp(-logits))).astype(np.float32)


def write_predictions(path: Path, scores: np.ndarray, targets: np.ndarray) -> None:
    """Write what `spa evaluate --scores` takes."""
    columns = {
        "clip_id": [f"clip{row:05d}" for row in range(len(scores))],
        "scores": list(scores),
        "targets": [np.flatnonzero(row) for row in targets],
    }
    pq.write_table(pa.table(columns), path)


def report_of(audioset: Path, workspace: Path, file: Path, against: Path, resamples: int) -> Path:
    """Evaluate `file` against another one; where the report is."""
    settings = EvaluateSettings(
        scores=file,
        against=str(against),
        ontology=audioset / "ontology.json",
        labels=audioset / "class_labels_indices.csv",
        resamples=resamples,
    )
    summary = run_stage(EVALUATE, settings, workspace, QuietReporter(), force=True).summary
    return workspace / summary.report


def main() -> None:
    """Make two models' scores, evaluate one against the other, print times and the page's size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("audioset", type=Path)
    parser.add_argument("--keep", type=Path, help="leave files and reports in this folder")
    parser.add_argument("--resamples", type=int, default=0)
    arguments = parser.parse_args()
    with TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        mids = read_mids(arguments.audioset)
        targets = read_targets(arguments.audioset, mids)
        files = [folder / "first.parquet", folder / "second.parquet"]
        for seed, file in enumerate(files):
            scores = made_scores(arguments.audioset, targets, mids, seed)
            write_predictions(file, scores, targets)
        started = time.perf_counter()
        np.argsort(scores, axis=0)
        sort_seconds = time.perf_counter() - started
        started = time.perf_counter()
        report = report_of(arguments.audioset, folder / "workspace", *files, arguments.resamples)
        whole_seconds = time.perf_counter() - started
        print(f"numpy.argsort(scores, axis=0)   {sort_seconds:.2f} s")
        print(
            f"two models, from file to report {whole_seconds:.2f} s (x {whole_seconds / sort_seconds:.1f})"
        )
        print(f"report.html                     {report.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
