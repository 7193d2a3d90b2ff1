"""Random reads of single clips from shards of several row-group sizes, beside bare decoding.

    python benchmarks/random_read.py SOURCE [--clips 256] [--reads 300] [--rounds 5]

The bare loop decodes the same FLAC bytes with soundfile from memory, in the same order: what a store
that costs nothing would do. `AudioStore` reads them from Parquet files that are in the page cache.
All take turns, on one core; medians are compared. "Opening" is the first read of a shard, which
parses its footer, without decoding.
"""

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile as sf

from stages.audio.decode import decode_file
from stages.audio.store import AudioStore, encode_flac
from stages.schemas import AUDIO

SAMPLE_RATE = 32000
ROW_GROUPS = (1, 8, 32, 128)
Read = Callable[[int], object]


def encode_all(source: Path, clips: int) -> list[bytes]:
    """FLAC of the first `clips` audio files below `source`."""
    paths = sorted(path for path in source.rglob("*") if path.suffix in (".ogg", ".wav", ".flac"))
    waveforms = (decode_file(path, SAMPLE_RATE, 600).waveform for path in paths[:clips])
    return [encode_flac(waveform, SAMPLE_RATE) for waveform in waveforms]


def write_shard(path: Path, encoded: Sequence[bytes], rows_a_group: int) -> None:
    """One shard as `spa prepare` writes it, but for the size of the row groups."""
    audio = [{"bytes": clip, "path": "clip.flac"} for clip in encoded]
    table = pa.Table.from_pydict({"clip_id": ["clip"] * len(audio), "audio": audio}, schema=AUDIO)
    pq.write_table(
        table,
        path,
        row_group_size=rows_a_group,
        compression="none",
        use_dictionary=False,
        write_statistics=False,
    )


def rate(read: Read, order: Sequence[int]) -> float:
    """Reads a second."""
    start = time.perf_counter()
    for row in order:
        read(row)
    return len(order) / (time.perf_counter() - start)


def opening_milliseconds(path: Path) -> float:
    """How long it takes to open a shard, at best."""
    times = []
    for _ in range(20):
        start = time.perf_counter()
        pq.ParquetFile(path, pre_buffer=False).close()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def compare(encoded: list[bytes], folder: Path, reads: int, rounds: int) -> None:
    """Print one line for each row-group size."""
    store = AudioStore(folder)

    def bare(row: int) -> object:
        return sf.read(io.BytesIO(encoded[row]), dtype="float32")

    def stored(size: int) -> Read:
        return lambda row: store.read(f"{size}.parquet", row)

    ways: dict[str, Read] = {"bare": bare}
    for size in ROW_GROUPS:
        write_shard(folder / f"{size}.parquet", encoded, size)
        ways[str(size)] = stored(size)
    rng = np.random.default_rng(0)
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        order = rng.integers(0, len(encoded), reads).tolist()
        for way, read in ways.items():
            rates[way].append(rate(read, order))
    print(f"{len(encoded)} clips of {np.mean([len(clip) for clip in encoded]) / 1000:.0f} kB")
    print(f"bare decoding from memory: {statistics.median(rates['bare']):.0f} clips/s")
    for size in map(str, ROW_GROUPS):
        ratios = [its / base for its, base in zip(rates[size], rates["bare"], strict=True)]
        print(
            f"row groups of {size:>3}: {statistics.median(rates[size]):4.0f} clips/s, "
            f"{statistics.median(ratios):.2f} of bare, "
            f"opening {opening_milliseconds(folder / f'{size}.parquet'):.2f} ms"
        )


def main() -> None:
    """Compare on one data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--clips", type=int, default=256)
    parser.add_argument("--reads", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compare(
            encode_all(options.source, options.clips), Path(folder), options.reads, options.rounds
        )


if __name__ == "__main__":
    main()
