"""Decoded clips in memory, within a bound: what an epoch has decoded need not be decoded again."""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.audio.store import AudioStore
from stages.train.clips import Clips

_FULL_SCALE = 32768.0  # of 16 bits


@dataclass(frozen=True)
class DecodedClip:
    """A waveform in memory: values (samples,) float32, or int16 that are 1/32768 each."""

    values: NDArray[np.float32] | NDArray[np.int16]

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.values)

    def write(self, start: int, row: NDArray[np.float32]) -> int:
        """Fill `row` from sample `start` on as far as the clip goes; return the samples written."""
        stretch = self.values[start : start + len(row)]
        scale = 1 / _FULL_SCALE if stretch.dtype == np.int16 else 1.0
        np.multiply(stretch, np.float32(scale), out=row[: len(stretch)])
        return len(stretch)


class ClipCache:
    """Reads clips, and keeps them until `most_bytes` are full; several threads may read.

    What is full stays as it is: in a shuffled epoch every clip is as likely to come next. A clip that is
    no more than 16 bits deep, as clips are stored by default, is kept as those 16 bits.
    """

    def __init__(self, store: AudioStore, clips: Clips, most_bytes: int) -> None:
        """Read nothing yet."""
        self._store, self._clips, self._room = store, clips, most_bytes
        self._kept: dict[int, DecodedClip] = {}
        self._lock = threading.Lock()

    def read(self, index: int) -> DecodedClip:
        """Return the clip at `index`; raises as the store does."""
        clip = self._kept.get(index)
        return self._first_read(index) if clip is None else clip

    def _first_read(self, index: int) -> DecodedClip:
        waveform = self._store.read(self._clips.shards[index], self._clips.rows[index])
        if self._room <= 0:
            return DecodedClip(waveform)
        clip = DecodedClip(_compact(waveform))
        with self._lock:
            if index not in self._kept and clip.values.nbytes <= self._room:
                self._kept[index] = clip
                self._room -= clip.values.nbytes
        return clip


def _compact(waveform: NDArray[np.float32]) -> NDArray[np.int16] | NDArray[np.float32]:
    """The same waveform in 16 bits where that loses nothing."""
    scaled = waveform * np.float32(_FULL_SCALE)
    if not (scaled.min(initial=0) >= -_FULL_SCALE and scaled.max(initial=0) < _FULL_SCALE):
        return waveform
    small = scaled.astype(np.int16)
    return small if np.array_equal(small, scaled) else waveform
