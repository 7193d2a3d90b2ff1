"""Kept clips are the stored ones to the bit, and memory is bounded."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.artifacts import read_parquet
from stages.audio.store import AudioStore
from stages.pipeline import PREPARE
from stages.prepare.settings import PrepareSettings
from stages.reporter import QuietReporter
from stages.runner import run_stage
from stages.train.clip_cache import ClipCache, DecodedClip, _compact
from stages.train.clips import Clips, clips_of_split

Stored = tuple[Path, Clips]


@pytest.fixture(scope="module")
def stored(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    folder = tmp_path_factory.mktemp("cache") / "W"
    run_stage(PREPARE, PrepareSettings(source=tones, workers=1), folder, QuietReporter())
    table = read_parquet(folder / "clips.parquet", "clips")
    return folder / "audio", clips_of_split(table, "train", 4)


class Counted(AudioStore):
    """A store that counts how often it is read."""

    reads = 0

    def read(self, shard: str, row: int) -> np.ndarray:  # type: ignore[type-arg]
        self.reads += 1
        return super().read(shard, row)


def written(clip: DecodedClip, start: int, room: int) -> NDArray[np.float32]:
    """What the clip writes into a row of `room` samples; the rest of the row must stay."""
    row = np.full(room, 7, dtype=np.float32)
    samples = clip.write(start, row)
    assert (row[samples:] == 7).all()
    return row[:samples]


@pytest.mark.parametrize("sample_rate", [None, 16000])  # resampled clips are no 16 bits
def test_what_is_kept_is_the_clip_to_the_bit(stored: Stored, sample_rate: int | None) -> None:
    folder, clips = stored
    store = Counted(folder, sample_rate)
    wanted = [store.read(*place) for place in zip(clips.shards, clips.rows, strict=True)]
    store.reads = 0
    cache = ClipCache(store, clips, 10**9)
    for _ in range(2):
        for index, waveform in enumerate(wanted):
            assert np.array_equal(written(cache.read(index), 0, len(waveform)), waveform)
        assert store.reads == len(clips)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
@pytest.mark.parametrize(("start", "room"), [(0, 3), (2, 3), (0, 9), (4, 9)])
def test_a_stretch_is_written_as_far_as_clip_and_room_go(
    dtype: type[np.int16] | type[np.float32], start: int, room: int
) -> None:
    values = np.array([1, -2, 3, -4, 5], dtype)
    waveform = values / 32768 if dtype is np.int16 else values
    heard = written(DecodedClip(values), start, room)
    assert np.array_equal(heard, waveform[start : start + room])


def test_no_more_is_kept_than_fits(stored: Stored) -> None:
    folder, clips = stored
    store = Counted(folder)
    size = 2 * len(store.read(clips.shards[0], clips.rows[0]))  # bytes of 16 bits a sample
    store.reads = 0
    cache = ClipCache(store, clips, 3 * size + 1)
    for _ in range(2):
        for index in range(len(clips)):
            cache.read(index)
    assert store.reads == 2 * len(clips) - 3


@pytest.mark.parametrize("value", [1.0, 1.5, -1.5, 1e-6, float("nan")])
def test_what_sixteen_bits_cannot_hold_is_kept_whole(value: float) -> None:
    clip = np.array([0.25, value], dtype=np.float32)
    assert _compact(clip).dtype == np.float32


def test_all_of_sixteen_bits_is_held() -> None:
    clip = np.arange(-32768, 32768, dtype=np.float32) / 32768
    small = _compact(clip)
    assert small.dtype == np.int16
    assert np.array_equal(small * np.float32(1 / 32768), clip)
