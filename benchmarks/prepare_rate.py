"""Rate of `spa prepare` beside a bare loop of read, resample and encode in as many processes.

    python benchmarks/prepare_rate.py SOURCE... --ontology ontology.json [--workers 2] [--rounds 3]

Both start their own processes, and that counts. The bare loop reads each file with soundfile, takes
the mean of the channels, resamples with soxr in high quality, encodes FLAC in memory, and forgets
it. `spa prepare` does all that it does. They take turns; medians are compared.
"""

import argparse
import io
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import soundfile as sf
import soxr

SAMPLE_RATE = 32000


def bare(path: Path) -> int:
    """Read, mix down, resample, encode: the bytes that came out."""
    samples, rate = sf.read(path, dtype="float32", always_2d=True)
    waveform = soxr.resample(samples.mean(axis=1), rate, SAMPLE_RATE, quality="HQ")
    file = io.BytesIO()
    sf.write(file, waveform, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return len(file.getvalue())


def bare_loop(paths: list[Path], workers: int) -> None:
    """Run `bare` over all files in a pool of processes."""
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        assert sum(pool.imap_unordered(bare, paths, chunksize=8)) > 0


def prepare(source: Path, ontology: Path, workers: int, workspace: Path) -> None:
    """Run the whole stage, whatever it did before."""
    # Not at the top: a spawned process imports this file, and the bare loop needs none of these.
    from stages.pipeline import PREPARE
    from stages.prepare.settings import PrepareSettings
    from stages.reporter import QuietReporter
    from stages.runner import run_stage

    settings = PrepareSettings(source=source, ontology=ontology, workers=workers)
    run_stage(PREPARE, settings, workspace, QuietReporter(), force=True)


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def seconds(work: Callable[[], None]) -> tuple[float, float]:
    """How long `work` takes, and how much CPU time, which tells more on a busy machine."""
    start, cpu_start = time.perf_counter(), cpu_seconds()
    work()
    return time.perf_counter() - start, cpu_seconds() - cpu_start


def compare(source: Path, ontology: Path, workers: int, rounds: int) -> None:
    """Print both rates on one data set, and their ratio."""
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder, "workspace")
        prepare(source, ontology, workers, workspace)
        clips = pq.read_table(workspace / "clips.parquet")["source_path"].to_pylist()
        paths = [source / clip for clip in clips]
        bare_times, prepare_times = [], []
        for _ in range(rounds):
            bare_times.append(seconds(lambda: bare_loop(paths, workers)))
            prepare_times.append(seconds(lambda: prepare(source, ontology, workers, workspace)))
    ratios = [b[0] / p[0] for b, p in zip(bare_times, prepare_times, strict=True)]
    cpu_ratios = [b[1] / p[1] for b, p in zip(bare_times, prepare_times, strict=True)]
    rates = [
        len(paths) / statistics.median(wall for wall, _ in times)
        for times in (bare_times, prepare_times)
    ]
    print(
        f"{source.name}: {len(paths)} clips, {workers} workers, medians of {rounds}: "
        f"bare loop {rates[0]:.0f} clips/s, spa prepare {rates[1]:.0f} clips/s, "
        f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), "
        f"of CPU time {statistics.median(cpu_ratios):.2f}"
    )


def main() -> None:
    """Compare on every source given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("--ontology", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for source in options.sources:
        compare(source, options.ontology, options.workers, options.rounds)


if __name__ == "__main__":
    main()
