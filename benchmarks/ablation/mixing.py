"""One clip out of several: each source's sound, at a random place and gain."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.1  # root mean square of a source's sound before its gain; -20 dB of full scale
LARGEST_CUT_DB = 12.0
HIGHEST_PEAK = 0.95
_QUIET = 10 ** (-50 / 20)  # of a source's peak; what is softer at its ends is no part of the sound


def mix(
    sources: Sequence[NDArray[np.float32]], samples: int, generator: np.random.Generator
) -> NDArray[np.float32]:
    """Sum the sources, each cut to or set into `samples` samples at its own random gain.

    Every source's sound has the same root mean square before a gain of -12 to 0 dB, uniform in dB.
    A sum whose peak is above 0.95 is scaled down to that.

    Args:
        sources: waveforms (any number of samples,), none of them silent.
        samples: length of what is made.
        generator: of places and gains.

    Returns:
        The waveform (samples,).
    """
    total = np.zeros(samples)
    for waveform in sources:
        sound = window(sounding(waveform), samples, generator)
        gain = 10 ** (-generator.uniform(0, LARGEST_CUT_DB) / 20)
        rms = np.sqrt(np.mean(np.square(sound, dtype=np.float64)))
        at = int(generator.integers(0, samples - len(sound) + 1))
        total[at : at + len(sound)] += sound * (LEVEL * gain / rms)
    peak = np.abs(total).max()
    scaled: NDArray[np.float32] = (total * min(1.0, HIGHEST_PEAK / peak)).astype(np.float32)
    return scaled


def sounding(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """The waveform (samples,) without its quiet ends: ESC-10's short sounds are followed by silence."""
    magnitude = np.abs(waveform)
    loud = np.flatnonzero(magnitude > _QUIET * magnitude.max())
    return waveform[loud[0] : loud[-1] + 1]


def window(
    sound: NDArray[np.float32], samples: int, generator: np.random.Generator
) -> NDArray[np.float32]:
    """At most `samples` samples of `sound`, from a random place, with the loudest one among them."""
    if len(sound) <= samples:
        return sound
    loudest = int(np.abs(sound).argmax())
    first, last = max(0, loudest - samples + 1), min(loudest, len(sound) - samples)
    start = int(generator.integers(first, last + 1))
    return sound[start : start + samples]
