"""Clips a second of `spa train` beside a bare loop of the same model on waveforms in memory, on the CPU.

    python benchmarks/trainer_overhead.py [--encoders small mn04] [--clips 512] [--epochs 30]

The bare loop does forward (log-mel, encoder, head), binary cross-entropy, backward and AdamW on random
batches, and nothing else. `spa train` is the whole stage, one-hot, from the Parquet store: it reads and
decodes clips, clips gradients, averages weights, keeps a history, and saves its state; its rate is the
one that it prints, of its epochs without validation. It is timed without augmentation, as the bare loop
is, and with mixup and masks as they are by default. The bare loop is timed as it stands, and with the
memory allocator's settings that `spa train` makes (`stages/train/freed_memory.py`). All take turns, each
in a process of its own, on the same clips, batch size and number of threads, and the medians of the
ratios are printed. At least 0.95 is wanted. Clips are decoded in the first epoch alone, which makes it the
slowest; 30 epochs are what `spa train` does by default.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from training.made_workspace import LABELS, make_workspace

from stages.artifacts import read_parquet
from stages.audio.store import AudioStore
from stages.models.encoders import ENCODERS
from stages.models.tagger import Tagger
from stages.train.freed_memory import keep_freed_memory

_SPA = [sys.executable, "-c", "from spa_cli.main import main; main()"]
_UNCHANGED = {"--mixup-alpha": 0.0, "--time-mask-share": 0.0, "--mel-mask-share": 0.0}


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


@dataclass(frozen=True)
class Round:
    """What is timed: an encoder on a workspace's clips, so many epochs in batches of so many."""

    encoder: str
    workspace: Path
    batch_size: int
    epochs: int
    threads: int


def bare_rate(timed: Round, keeps_freed_memory: bool) -> float:
    """Clips a second of the bare loop; in a process of its own, since memory's settings stay."""
    torch.set_num_threads(timed.threads)
    if keeps_freed_memory:
        keep_freed_memory()
    waveform, targets = preloaded(timed.workspace)
    torch.manual_seed(0)
    tagger = Tagger(timed.encoder, LABELS).train()
    optimiser = torch.optim.AdamW(tagger.parameters(), lr=1e-3)
    started = time.perf_counter()
    for _ in range(timed.epochs):
        for rows in torch.randperm(len(waveform)).split(timed.batch_size):
            loss = binary_cross_entropy_with_logits(tagger(waveform[rows]), targets[rows])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
    return timed.epochs * len(waveform) / (time.perf_counter() - started)


def trained_rate(timed: Round, augmented: bool) -> float:
    """Clips a second of the epochs of `spa train`, run as a command."""
    options = {
        "--workspace": timed.workspace,
        "--encoder": timed.encoder,
        "--epochs": timed.epochs,
        "--batch-size": timed.batch_size,
        "--alignment-weight": 0,
        "--device": "cpu",
        **({} if augmented else _UNCHANGED),
    }
    words = [str(word) for option in options.items() for word in option]
    command = [*_SPA, "train", *words, "--force", "--json"]
    environment = os.environ | {"OMP_NUM_THREADS": str(timed.threads)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    rate: float = json.loads(done.stdout)["clips_per_second"]
    return rate


def compare(encoder: str, options: argparse.Namespace) -> None:
    """Print the rates of one encoder, and their ratios."""
    sample_rate = ENCODERS[encoder].front_end.sample_rate
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes,
    ):
        workspace = make_workspace(Path(folder), options.clips, options.seconds, sample_rate)
        threads = torch.get_num_threads()
        timed = Round(encoder, workspace, options.batch_size, options.epochs, threads)
        rounds = [
            [processes.submit(rate, timed, choice).result() for rate, choice in _ARMS.values()]
            for _ in range(options.rounds)
        ]
    rates = dict(zip(_ARMS, zip(*rounds, strict=True), strict=True))
    print(
        f"{encoder}: " + ", ".join(f"{name} {median(found):.1f}" for name, found in rates.items())
    )
    for trained in _TRAINED:
        for bare in _BARE:
            ratios = [a / b for a, b in zip(rates[trained], rates[bare], strict=True)]
            spread = f"({min(ratios):.3f} to {max(ratios):.3f})"
            print(f"  {trained} / {bare}: {median(ratios):.3f} {spread}", flush=True)


_BARE = {"bare loop": (bare_rate, False), "bare loop keeping memory": (bare_rate, True)}
_TRAINED = {"spa train unaugmented": (trained_rate, False), "spa train": (trained_rate, True)}
_ARMS = {**_BARE, **_TRAINED}


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare on every encoder named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoders", nargs="+", default=["small", "mn04"], choices=ENCODERS)
    parser.add_argument("--clips", type=int, default=512, help="training clips")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a clip")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=30, help="of each round")
    parser.add_argument("--rounds", type=int, default=3, help="of all four")
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
