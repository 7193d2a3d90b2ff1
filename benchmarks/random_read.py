"""Random reads of single clips from shards, FLAC and WAV, in several row-group sizes.

    python benchmarks/random_read.py SOURCE [--clips 256] [--seconds 10] [--reads 300] [--rounds 5]

The clips are made of the real ones below SOURCE, one after the other, cut to equal lengths. The
bare loop decodes the same bytes with soundfile from memory, in the same order: what a store that
costs nothing would do. `AudioStore` reads them from Parquet files that are in the page cache. All take
turns, on one core; medians are compared. "Opening" is the first read of a shard, which parses its
footer, without decoding.
"""

import argparse
import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile as sf
from numpy.typing import NDArray

from stages.audio.clip_codec import Codec
from stages.audio.decode import decode_audio
from stages.audio.store import AudioStore, encode_audio
from stages.schemas import AUDIO

SAMPLE_RATE = 32000
CODECS: tuple[Codec, ...] = ("flac", "wav")
ROW_GROUPS = (1, 8, 32, 128)
Read = Callable[[int], object]


def waveforms(source: Path, clips: int, seconds: float) -> Iterator[NDArray[np.float32]]:
    """`clips` waveforms of `seconds`, of the audio files below `source` one after the other."""
    length = int(seconds * SAMPLE_RATE)
    paths = sorted(path for path in source.rglob("*") if path.suffix in (".ogg", ".wav", ".flac"))
    rest = np.zeros(0, np.float32)
    for path in paths:
        rest = np.concatenate([rest, decode_audio(path, SAMPLE_RATE, 600).waveform])
        while len(rest) >= length and clips > 0:
            yield rest[:length]
            rest = rest[length:]
            clips -= 1
        if clips == 0:
            return


def write_shard(path: Path, encoded: Sequence[bytes], rows_a_group: int) -> None:
    """One shard as `spa prepare` writes it, but for the size of the row groups."""
    audio = [{"bytes": clip, "path": "clip"} for clip in encoded]
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
    print(f"  bare decoding from memory: {statistics.median(rates['bare']):.0f} clips/s")
    for size in map(str, ROW_GROUPS):
        ratios = [its / base for its, base in zip(rates[size], rates["bare"], strict=True)]
        print(
            f"  row groups of {size:>3}: {statistics.median(rates[size]):4.0f} clips/s, "
            f"{statistics.median(ratios):.2f} of bare, "
            f"opening {opening_milliseconds(folder / f'{size}.parquet'):.2f} ms"
        )


def main() -> None:
    """Compare on one data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--clips", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--reads", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    clips = list(waveforms(options.source, options.clips, options.seconds))
    for codec in CODECS:
        encoded = [encode_audio(clip, SAMPLE_RATE, codec) for clip in clips]
        size = np.mean([len(clip) for clip in encoded]) / 1000
        print(f"{codec}: {len(encoded)} clips of {options.seconds:g} s, {size:.0f} kB")
        with tempfile.TemporaryDirectory() as folder:
            compare(encoded, Path(folder), options.reads, options.rounds)


if __name__ == "__main__":
    main()
