"""Every benchmark starts: what it imports is there, and it says what it does. Those of training run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
BENCHMARKS = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_it_starts(path: Path) -> None:
    assert "usage:" in output_of(path, "--help")


def output_of(path: Path, *options: str) -> str:
    command = [sys.executable, str(path), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_training_steps_without_a_gpu() -> None:
    """One row for the encoder, of sensible numbers: no step takes no time, none uses more than there is."""
    sizes = ["--clips", "16", "--seconds", "0.5", "--steps", "2", "--smallest-batch", "4"]
    chosen = ["--encoders", "small", "--largest-batch", "8", "--no-compile"]
    output = output_of(FOLDER / "cuda_training.py", *sizes, *chosen)
    *_, row = output.strip().splitlines()
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    name, operations, batch, resident, compiled, fed, waits, share, difference = cells
    assert (name, compiled, difference) == ("small", "-", "-")
    assert batch in {"4", "8"}
    assert float(operations) > 0.01
    assert float(resident) > 0
    assert float(fed) > 0
    assert 0 <= float(waits.removesuffix(" %")) < 100
    assert float(share.removesuffix(" %")) > 0


def test_trainer_beside_a_bare_loop() -> None:
    sizes = ["--clips", "16", "--seconds", "0.5", "--rounds", "1", "--epochs", "1"]
    output = output_of(FOLDER / "trainer_overhead.py", "--encoders", "small", *sizes)
    (rates,) = re.findall(r"small: (.+)", output)
    clips_per_second = {
        name: float(rate) for name, rate in re.findall(r"([a-z ]+) ([\d.]+)", rates)
    }
    clips_per_second = {name.strip(): rate for name, rate in clips_per_second.items()}
    ratios = re.findall(r"  (spa train.*) / (bare loop.*): (\S+)", output)
    assert len(ratios) == 4
    for trained, bare, ratio in ratios:
        expected = clips_per_second[trained] / clips_per_second[bare]
        assert float(ratio) == pytest.approx(expected, rel=0.1)
