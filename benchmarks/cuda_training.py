"""Training steps on a GPU, and how much of the chip they use: clips from the Parquet store.

    python benchmarks/cuda_training.py [--encoders cnn14 mn10 ast passt htsat] [--seconds 10]

For each encoder, in bfloat16 with SPA: its best batch size (doubled until that no longer gains, or memory
ends); clips a second on a batch that is on the device already, without and with torch.compile; clips a
second from the store by the faster of both, the share of the time that the device waits for data, and
the share of its matrix rate that encoder and head use: their operations, forward and backward, over
those of a large bfloat16 matrix product in the same run. Last, how far logits in single precision differ
between GPU and CPU. Without a GPU all but that is done on the CPU, in float32: choose small numbers.
"""

import argparse
import gc
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from training.chip import matrix_rate
from training.made_workspace import make_workspace
from training.steps import Case, Fed, Steps, largest_difference

from stages.models.encoders import ENCODERS

_GAIN = 1.03  # that a doubled batch must bring
_HEADINGS = (
    "encoder",
    "GFLOP/clip",
    "batch",
    "clips/s, resident",
    "compiled",
    "from store",
    "waits",
    "of matrix rate",
    "CPU differs",
)


@dataclass(frozen=True)
class Row:
    """What was measured of one encoder; None: not done."""

    encoder: str
    operations: float
    batch_size: int
    resident: float
    compiled: float | None
    fed: Fed
    share: float
    difference: float | None

    def cells(self) -> tuple[str, ...]:
        """Return one text a heading."""
        return (
            self.encoder,
            f"{self.operations / 1e9:.2f}",
            str(self.batch_size),
            f"{self.resident:.1f}",
            "-" if self.compiled is None else f"{self.compiled:.1f}",
            f"{self.fed.clips_per_second:.1f}",
            f"{100 * self.fed.waiting:.1f} %",
            f"{100 * self.share:.1f} %",
            "-" if self.difference is None else f"{self.difference:.1e}",
        )


@dataclass(frozen=True)
class Bench:
    """Where and how all encoders are measured."""

    folder: Path
    device: torch.device
    options: argparse.Namespace
    rate: float

    def workspace(self, sample_rate: int) -> Path:
        """Return the clips at this rate, made when they are first asked for."""
        folder = self.folder / str(sample_rate)
        if not folder.exists():
            return make_workspace(folder, self.options.clips, self.options.seconds, sample_rate)
        return folder / "workspace"

    def steps(self, encoder: str, batch_size: int, *, compiled: bool) -> Steps:
        """Build a fresh trainer; what the one before held is given back."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        workspace = self.workspace(ENCODERS[encoder].front_end.sample_rate)
        case = Case(encoder, self.options.seconds, batch_size, compiled)
        return Steps(case, workspace, self.device)

    def best_batch(self, encoder: str) -> tuple[int, float]:
        """Return the batch size that trains most clips a second, and how many."""
        options = self.options
        best, size = (0, 0.0), options.smallest_batch
        while size <= min(options.largest_batch, options.clips):
            try:
                found = self.steps(encoder, size, compiled=False).on_one_batch(options.steps)
            except torch.OutOfMemoryError:
                break
            if found < _GAIN * best[1]:
                break
            best, size = (size, found), 2 * size
        if not best[0]:
            raise SystemExit(f"{encoder}: not even {size} clips fit: --smallest-batch")
        return best

    def measure(self, encoder: str) -> Row:
        """Measure all of one encoder."""
        steps = self.options.steps
        size, resident = self.best_batch(encoder)
        operations = self.steps(encoder, size, compiled=False).operations()
        compiled = None
        if self.options.compile:
            compiled = self.steps(encoder, size, compiled=True).on_one_batch(steps)
        faster = self.steps(encoder, size, compiled=compiled is not None and compiled > resident)
        faster.on_one_batch(1)  # compiles, and warms up
        fed = faster.from_the_store(steps)
        share = operations * fed.clips_per_second / self.rate
        difference = None
        if self.device.type == "cuda":
            difference = largest_difference(encoder, self.options.seconds)
        return Row(encoder, operations, size, resident, compiled, fed, share, difference)


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    named = ["cnn14", "mn10", "ast", "passt", "htsat"]
    parser.add_argument("--encoders", nargs="+", default=named, choices=ENCODERS)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of a clip")
    parser.add_argument("--clips", type=int, default=1024, help="in the store")
    parser.add_argument("--steps", type=int, default=20, help="that count, after three")
    parser.add_argument("--smallest-batch", type=int, default=16)
    parser.add_argument("--largest-batch", type=int, default=512)
    parser.add_argument(
        "--compile", action=argparse.BooleanOptionalAction, default=torch.cuda.is_available()
    )
    return parser.parse_args(arguments)


def print_row(cells: Sequence[str]) -> None:
    """Print cells below their headings, as Markdown."""
    padded = (cell.rjust(len(heading)) for cell, heading in zip(cells, _HEADINGS, strict=True))
    print(f"| {' | '.join(padded)} |", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a row an encoder."""
    options = parsed(arguments)
    cuda = torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    dtype = torch.bfloat16 if cuda else torch.float32
    rate = matrix_rate(device, dtype)
    name = torch.cuda.get_device_name() if cuda else "no CUDA device here, CPU only"
    print(
        f"{name}; torch {torch.__version__}; {str(dtype).removeprefix('torch.')} matrix products:"
        f" {rate / 1e12:.3g} TFLOP/s; {options.clips} clips of {options.seconds:g} s"
    )
    print_row(_HEADINGS)
    print_row(["-" * len(heading) for heading in _HEADINGS])
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), device, options, rate)
        for encoder in options.encoders:
            print_row(bench.measure(encoder).cells())


if __name__ == "__main__":
    main()
