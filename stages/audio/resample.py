"""From one sample rate to another."""

import numpy as np
import soxr
from numpy.typing import NDArray


def resample(waveform: NDArray[np.float32], from_hz: int, to_hz: int) -> NDArray[np.float32]:
    """Resample by soxr in its high quality (HQ), or leave as it is where the rates are equal.

    The band that both rates have is kept in phase, and what lies above half of `to_hz` is taken out.
    Samples near full scale can go beyond it. n samples become about n * to_hz / from_hz, of very
    few none.

    Args:
        waveform: (samples,) float32.
        from_hz: its sample rate in Hz, positive.
        to_hz: the sample rate wanted in Hz, positive.
    """
    if from_hz == to_hz:
        return waveform
    resampled: NDArray[np.float32] = soxr.resample(waveform, from_hz, to_hz, quality="HQ")
    return resampled
