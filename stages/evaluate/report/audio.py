"""Clips to listen to, small enough to be part of a page."""

from base64 import b64encode
from io import BytesIO

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

MAX_SECONDS = 10.0
# Encoding moves samples a little: a peak at full scale would be cut off.
_LARGEST_PEAK = 0.9
_MP3_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


def encode_mp3(waveform: NDArray[np.float32], sample_rate: int) -> bytes:
    """The first 10 s of a clip as MP3 of variable bit rate, about 60 kbit/s; noise takes most.

    Peaks above 0.9 are scaled down to it. A sample rate that MP3 does not have is raised to the next
    that it has, or lowered to 48 kHz. The same waveform gives the same bytes.

    Args:
        waveform: (samples,) mono, finite, full scale at 1.
        sample_rate: in Hz.
    """
    heard = waveform[: round(MAX_SECONDS * sample_rate)]
    rate = next((rate for rate in _MP3_RATES_HZ if rate >= sample_rate), _MP3_RATES_HZ[-1])
    if rate != sample_rate:
        heard = soxr.resample(heard, sample_rate, rate)
    peak = float(np.abs(heard).max(initial=0.0))
    if peak > _LARGEST_PEAK:
        heard = heard * np.float32(_LARGEST_PEAK / peak)
    file = BytesIO()
    sf.write(file, heard, rate, format="MP3", bitrate_mode="VARIABLE", compression_level=0.4)
    return file.getvalue()


def data_uri(mp3: bytes) -> str:
    """MP3 as the address of an audio element."""
    return f"data:audio/mpeg;base64,{b64encode(mp3).decode('ascii')}"
