"""What the readers give: a decoded file as a stream of mono blocks."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.errors import AudioError

_HIGHEST_RATE_HZ = 768_000  # a header that says more is wrong, and would multiply the memory needed


class Block(NamedTuple):
    """A run of samples: mono (samples,) float32, full scale at -1 and 1, its rate in Hz.

    `channels` is how many were averaged. Rate and channels may change from block to block.
    """

    mono: NDArray[np.float32]
    rate: int
    channels: int


def mean_of_channels(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average (channels, samples) to (samples,). May overwrite its input."""
    mono: NDArray[np.float32] = channels[0]
    for channel in channels[1:]:  # several times faster than mean(axis=0)
        mono += channel
    if len(channels) > 1:
        mono = mono / np.float32(len(channels))  # a copy, so that the channels can go
    return mono


def check_rate(rate: int) -> None:
    """Refuse a sample rate, in Hz, that no audio has.

    Raises:
        AudioError: "unreadable".
    """
    if not 0 < rate <= _HIGHEST_RATE_HZ:
        raise unreadable(f"a sample rate of {rate} Hz")


def unreadable(why: str) -> AudioError:
    """The error for a file that no reader can make sense of."""
    return AudioError("unreadable", f"cannot be read as audio: {why}")


def truncated(held: float, stated: float, unit: str) -> AudioError:
    """The error for a file that holds less than its header states, in seconds ("s") or bytes."""
    texts = [f"{value:,.0f} {unit}" for value in (held, stated)]
    if unit == "s":
        digits = 2 if stated - held >= 0.01 else 6
        texts = [f"{value:.{digits}f} s" for value in (held, stated)]
    return AudioError("truncated", f"holds {texts[0]} of the {texts[1]} that its header states")
