"""Time OmAP at all coarse levels and mAP at AudioSet's size, against one numpy.argsort.

    python benchmarks/omap_time.py ../shared/data/audioset

The folder holds AudioSet's ontology.json, class_labels_indices.csv and eval_segments.csv: 20,371
clips with their real labels; scores are random. Every round times the baseline and the measures
one after the other, so that both see the same machine; the ratio is that of the fastest rounds.
"""

import argparse
import csv
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ontology.build import build_ontology
from ontology.database import open_ontology
from ontology.distances import distance_matrix
from stages.metrics.average_precision import average_precision
from stages.metrics.bootstrap import bootstrap, intervals
from stages.metrics.clip_ratio import ClipRatio
from stages.metrics.omap import ontology_average_precision
from stages.metrics.ranking import rank


def read_mids(audioset: Path) -> list[str]:
    """Read the 527 labels, in score order."""
    with (audioset / "class_labels_indices.csv").open(encoding="utf-8", newline="") as file:
        return [row["mid"] for row in csv.DictReader(file)]


def read_targets(audioset: Path, mids: list[str]) -> np.ndarray:
    """Read the evaluation clips' labels (clips, labels)."""
    index = {mid: position for position, mid in enumerate(mids)}
    with (audioset / "eval_segments.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.reader((line for line in file if line[0] != "#"), skipinitialspace=True)
        labels = [[index[mid] for mid in row[3].split(",")] for row in rows]
    targets = np.zeros((len(labels), len(mids)), dtype=bool)
    for clip, indices in enumerate(labels):
        targets[clip, indices] = True
    return targets


def read_distances(audioset: Path, mids: list[str]) -> np.ndarray:
    """Find the distances between the labels (labels, labels)."""
    with TemporaryDirectory() as folder:
        database = Path(folder, "ontology.duckdb")
        build_ontology(audioset / "ontology.json", database)
        with open_ontology(database) as connection:
            return distance_matrix(connection, mids).values


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compare(scores: np.ndarray, targets: np.ndarray, distances: np.ndarray, rounds: int) -> None:
    """Print the time of all levels and mAP against that of one sort, and the memory."""

    def measure() -> tuple[np.ndarray, np.ndarray]:
        rankings = rank(scores, targets, distances)
        return average_precision(rankings), ontology_average_precision(rankings)

    pairs = [(seconds(lambda: np.argsort(scores, axis=0)), seconds(measure)) for _ in range(rounds)]
    baseline, ours = (min(times) for times in zip(*pairs, strict=True))
    ratios = sorted(measured / sort for sort, measured in pairs)
    print(f"numpy.argsort(scores, axis=0)  {baseline:.3f} s")
    print(f"mAP and OmAP, all levels       {ours:.3f} s")
    print(f"ratio                          {ours / baseline:.2f} (target: at most 2.0)")
    print(f"ratio, round by round          {ratios[0]:.2f} to {ratios[-1]:.2f}")
    tracemalloc.start()
    measure()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"peak memory beyond the input   {peak / 1e6:.0f} MB (target: under 1000 MB)")


def time_bootstrap(
    scores: np.ndarray, targets: np.ndarray, distances: np.ndarray, resamples: int
) -> None:
    """Print the time of a paired bootstrap of two models, against measuring each resample anew.

    With every level, every label and five sums over clips, and an interval for each label.
    """
    models = [rank(values, targets, distances) for values in (scores, scores**2 + scores[::-1])]
    generator = np.random.default_rng(0)
    ones = np.ones(len(scores))
    ratios = [[ClipRatio(generator.random(len(scores)), ones) for _ in range(5)] for _ in models]
    drawn = generator.integers(0, len(scores), len(scores))

    def again() -> tuple[np.ndarray, np.ndarray]:
        rankings = rank(scores[drawn], targets[drawn], distances)
        return average_precision(rankings), ontology_average_precision(rankings)

    def measure() -> np.ndarray:
        one, other = bootstrap(models, resamples, seed=0, ratios=ratios)
        apart = one.average_precision - other.average_precision
        return intervals(np.nanmean(apart, axis=0), apart)

    anew = min(seconds(again) for _ in range(3))
    taken = seconds(measure)
    print(f"{resamples} paired resamples of two models  {taken:.1f} s (target: 1000 in 300 s)")
    print(
        f"ratio to measuring each anew   {taken / (2 * resamples * anew):.3f} ({anew:.2f} s each)"
    )
    tracemalloc.start()
    bootstrap(models, min(resamples, 256), seed=0, ratios=ratios)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"peak memory beyond the ranking {peak / 1e6:.0f} MB (target: under 1000 MB)")


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("audioset", type=Path)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--resamples", type=int, default=1000)
    given = parser.parse_args()
    mids = read_mids(given.audioset)
    targets = read_targets(given.audioset, mids)
    distances = read_distances(given.audioset, mids)
    scores = np.random.default_rng(0).random(targets.shape, dtype=np.float32)
    print(f"{targets.shape[0]} clips x {targets.shape[1]} labels, {targets.sum()} positives")
    compare(scores, targets, distances, given.rounds)
    time_bootstrap(scores, targets, distances, given.resamples)


if __name__ == "__main__":
    main()
