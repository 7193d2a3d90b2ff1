"""Decoded clips in memory, within a bound: what an epoch has decoded need not be decoded again."""

import threading

import numpy as np
from numpy.typing import NDArray

from stages.audio.store import AudioStore
from stages.train.clips import Clips

_FULL_SCALE = 32768.0  # of 16 bits


class ClipCache:
    """Reads clips, and keeps them until `most_bytes` are full; several threads may read.

    What is full stays as it is: in a shuffled epoch every clip is as likely to come next. A clip that is
    no more than 16 bits deep, as clips are stored by default, is kept as those 16 bits.
    """

    def __init__(self, store: AudioStore, clips: Clips, most_bytes: int) -> None:
        """Read nothing yet."""
        self._store, self._clips, self._room = store, clips, most_bytes
        self._kept: dict[int, NDArray[np.int16] | NDArray[np.float32]] = {}
        self._lock = threading.Lock()

    def read(self, index: int) -> NDArray[np.float32]:
        """Return the waveform (samples,) float32 of the clip at `index`; raises as the store does."""
        kept = self._kept.get(index)
        if kept is None:
            return self._first_read(index)
        if kept.dtype == np.float32:
            return kept.view()  # type: ignore[return-value]  # numpy's types do not follow
        return kept * np.float32(1 / _FULL_SCALE)

    def _first_read(self, index: int) -> NDArray[np.float32]:
        clip = self._store.read(self._clips.shards[index], self._clips.rows[index])
        if self._room <= 0:
            return clip
        kept = _compact(clip)
        with self._lock:
            if index not in self._kept and kept.nbytes <= self._room:
                self._kept[index] = kept
                self._room -= kept.nbytes
        return clip


def _compact(clip: NDArray[np.float32]) -> NDArray[np.int16] | NDArray[np.float32]:
    """The same clip in 16 bits where that loses nothing."""
    scaled = clip * np.float32(_FULL_SCALE)
    if not (scaled.min(initial=0) >= -_FULL_SCALE and scaled.max(initial=0) < _FULL_SCALE):
        return clip
    small = scaled.astype(np.int16)
    return small if np.array_equal(small, scaled) else clip
