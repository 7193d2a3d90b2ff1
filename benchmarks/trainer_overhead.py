"""Clips a second of `spa train` beside a bare loop of the same model on waveforms in memory, on the CPU.

    python benchmarks/trainer_overhead.py [--encoders small mn04] [--clips 768] [--rounds 5]

The bare loop does forward (log-mel, encoder, head), binary cross-entropy, backward and AdamW on random
batches, and nothing else. `spa train` is the whole stage, one-hot, from the Parquet store: it reads and
decodes clips, mixes and masks them, clips gradients, keeps a history, and saves its state; its rate is
the one that it prints, of its epochs without validation. They take turns on the same clips, batch size
and number of threads, and the medians of the ratios are printed. At least 0.95 is wanted.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from training.made_workspace import LABELS, make_workspace

from stages.artifacts import read_parquet
from stages.audio.store import AudioStore
from stages.models.encoders import ENCODERS
from stages.models.tagger import Tagger
from stages.pipeline import TRAIN
from stages.reporter import QuietReporter
from stages.runner import run_stage
from stages.train.settings import TrainSettings


def preloaded(workspace: Path) -> tuple[Tensor, Tensor]:
    """The training clips: waveform (clips, samples) and targets (clips, labels)."""
    clips = read_parquet(workspace / "clips.parquet", "clips").to_pylist()
    store = AudioStore(workspace / "audio")
    chosen = [clip for clip in clips if clip["split"] == "train"]
    waveform = np.stack([store.read(clip["shard"], clip["row"]) for clip in chosen])
    targets = torch.zeros(len(chosen), LABELS)
    for row, clip in enumerate(chosen):
        targets[row, clip["label_indices"]] = 1
    return torch.from_numpy(waveform), targets


def bare_rate(encoder: str, data: tuple[Tensor, Tensor], batch_size: int, epochs: int) -> float:
    """Clips a second of the bare loop."""
    waveform, targets = data
    torch.manual_seed(0)
    tagger = Tagger(encoder, LABELS).train()
    optimiser = torch.optim.AdamW(tagger.parameters(), lr=1e-3)
    started = time.perf_counter()
    for _ in range(epochs):
        for rows in torch.randperm(len(waveform)).split(batch_size):
            loss = binary_cross_entropy_with_logits(tagger(waveform[rows]), targets[rows])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
    return epochs * len(waveform) / (time.perf_counter() - started)


def trained_rate(encoder: str, workspace: Path, batch_size: int, epochs: int) -> float:
    """Clips a second of the epochs of `spa train`."""
    settings = TrainSettings.model_validate(
        {
            "name": encoder,
            "encoder": encoder,
            "epochs": epochs,
            "batch_size": batch_size,
            "alignment_weight": 0.0,
            "device": "cpu",
        }
    )
    return run_stage(
        TRAIN, settings, workspace, QuietReporter(), force=True
    ).summary.clips_per_second


def compare(encoder: str, options: argparse.Namespace) -> None:
    """Print both rates of one encoder, and their ratio."""
    sample_rate = ENCODERS[encoder].front_end.sample_rate
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder), options.clips, options.seconds, sample_rate)
        data = preloaded(workspace)
        rounds = []
        for _ in range(options.rounds + 1):
            bare = bare_rate(encoder, data, options.batch_size, options.epochs)
            rounds.append(
                (bare, trained_rate(encoder, workspace, options.batch_size, options.epochs))
            )
    counted = rounds[1:]  # the first warms up
    ratios = [trained / bare for bare, trained in counted]
    bare, trained = (statistics.median(rates) for rates in zip(*counted, strict=True))
    print(
        f"{encoder}: bare loop {bare:.1f} clips/s, spa train {trained:.1f} clips/s, "
        f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})",
        flush=True,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare on every encoder named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoders", nargs="+", default=["small", "mn04"], choices=ENCODERS)
    parser.add_argument("--clips", type=int, default=768, help="training clips")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a clip")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=2, help="of each round")
    parser.add_argument("--rounds", type=int, default=5, help="after one that is not counted")
    parser.add_argument("--threads", type=int, default=None, help="torch's [default: its own]")
    options = parser.parse_args(arguments)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, {options.clips} clips of"
        f" {options.seconds:g} s, batches of {options.batch_size}, medians of {options.rounds} rounds"
    )
    for encoder in options.encoders:
        compare(encoder, options)


if __name__ == "__main__":
    main()
