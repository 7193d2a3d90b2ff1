"""One-hot training beside SPA on a data set with folds: train on the others, evaluate on one.

Prints mAP and OmAP in points of 100 for each held-out fold, their mean and standard deviation over
seeds, and SPA minus one-hot with the same seed. Finished trainings are not done again.

    python benchmarks/folds.py SOURCE --ontology ontology.json --folds 1 2 --seeds 3 --workspace W
"""

import argparse
import statistics
from pathlib import Path

from stages.embed_labels.settings import EmbedLabelsSettings
from stages.evaluate.settings import EvaluateSettings
from stages.evaluate.summary import EvaluateSummary
from stages.pipeline import EMBED_LABELS, EVALUATE, PREPARE, TRAIN
from stages.prepare.settings import PrepareSettings
from stages.reporter import QuietReporter
from stages.runner import run_stage
from stages.train.settings import TrainSettings

KINDS = {"one-hot": 0.0, "spa": TrainSettings().alignment_weight}


def prepared(options: argparse.Namespace, fold: int) -> Path:
    """Make the workspace that holds out `fold`."""
    workspace: Path = options.workspace / f"fold{fold}"
    settings = PrepareSettings(source=options.source, ontology=options.ontology, eval_fold=(fold,))
    run_stage(PREPARE, settings, workspace, QuietReporter())
    texts = EmbedLabelsSettings(text_encoder="minilm")
    run_stage(EMBED_LABELS, texts, workspace, QuietReporter())
    return workspace


def evaluated(workspace: Path, kind: str, seed: int, epochs: int) -> EvaluateSummary:
    """Train and evaluate one model."""
    name = f"{kind}-{seed}"
    training = TrainSettings(name=name, alignment_weight=KINDS[kind], epochs=epochs, seed=seed)
    run_stage(TRAIN, training, workspace, QuietReporter())
    settings = EvaluateSettings(name=name, resamples=0)
    return run_stage(EVALUATE, settings, workspace, QuietReporter()).summary


def spread(values: list[float]) -> str:
    """Mean and standard deviation, in points of 100."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{100 * statistics.mean(values):6.2f} +- {100 * deviation:4.2f}"


def main() -> None:
    """Read the options, run everything, print a row a fold and kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("--ontology", type=Path)
    parser.add_argument("--folds", type=int, nargs="+", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=TrainSettings().epochs)
    parser.add_argument("--workspace", type=Path, required=True)
    options = parser.parse_args()
    print(f"{'held out':>8}  {'training':<8}  {'mAP':>15}  {'OmAP':>15}")
    for fold in options.folds:
        workspace = prepared(options, fold)
        runs = {
            kind: [
                evaluated(workspace, kind, seed, options.epochs) for seed in range(options.seeds)
            ]
            for kind in KINDS
        }
        for kind, found in runs.items():
            scores = spread([run.mAP for run in found]), spread([run.OmAP for run in found])
            print(f"{fold:>8}  {kind:<8}  {scores[0]}  {scores[1]}", flush=True)
        pairs = list(zip(runs["spa"], runs["one-hot"], strict=True))
        gain = (
            spread([a.mAP - b.mAP for a, b in pairs]),
            spread([a.OmAP - b.OmAP for a, b in pairs]),
        )
        print(f"{fold:>8}  {'gain':<8}  {gain[0]}  {gain[1]}", flush=True)


if __name__ == "__main__":
    main()
