"""How loud a clip is, and what was wrong with its source."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# The largest value that 16 bit audio holds. Of the 8 bit values only the lowest, -1, is beyond it:
# the highest is 127 / 128.
_FULL_SCALE = np.float32(32767 / 32768)


class Levels(NamedTuple):
    """Levels of a clip.

    `peak_dbfs` and `rms_dbfs` are the largest magnitude and the root mean square of the clip as it
    is stored, in dB of full scale; None is digital silence. `dc_offset` is the mean of the mono
    source before resampling, where full scale is 1; `clipped_share` is the share, 0 to 1, of its
    samples whose magnitude is at least 32767 / 32768.
    """

    peak_dbfs: float | None
    rms_dbfs: float | None
    dc_offset: float
    clipped_share: float


def levels_of(waveform: NDArray[np.float32], source: list[NDArray[np.float32]]) -> Levels:
    """Measure a clip: the waveform (samples,) and the pieces of the mono source that it was made of."""
    samples = sum(len(piece) for piece in source)
    return Levels(
        peak_dbfs=_dbfs(_peak(waveform)),
        rms_dbfs=_dbfs(_rms(waveform)),
        dc_offset=sum(float(piece.sum(dtype=np.float64)) for piece in source) / samples,
        clipped_share=sum(map(_clipped, source)) / samples,
    )


def _clipped(piece: NDArray[np.float32]) -> int:
    if _peak(piece) < _FULL_SCALE:
        return 0
    return int(np.count_nonzero(np.abs(piece) >= _FULL_SCALE))


def _peak(signal: NDArray[np.float32]) -> float:
    return float(max(signal.max(), -signal.min()))


def _rms(waveform: NDArray[np.float32]) -> float:
    """Root mean square, in double precision: a float file may hold squares beyond single."""
    return math.sqrt(float(np.mean(np.square(waveform, dtype=np.float64))))


def _dbfs(amplitude: float) -> float | None:
    return 20 * math.log10(amplitude) if amplitude > 0 else None
