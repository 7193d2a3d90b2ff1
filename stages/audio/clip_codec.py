"""How a clip is stored: 16 bit mono samples as FLAC, or as WAV."""

import io
import struct
from typing import Literal

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from stages.audio.libsndfile import SequentialFile, mono_blocks

Codec = Literal["flac", "wav"]

_FULL_SCALE = 1 << 15
_SAMPLE_BYTES = 2
_WAV_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")  # RIFF, fmt and data
_FMT_BYTES = 16


class ClipError(Exception):
    """The bytes are no clip as `encode_audio` makes them."""


def encode_audio(waveform: NDArray[np.float32], sample_rate: int, codec: Codec) -> bytes:
    """Encode a waveform (samples,), full scale at -1 and 1, with 16 bits a sample.

    Samples are rounded to the nearest step and clipped to the 16 bit range, so 16 bit sources at
    the same rate come back bit for bit.
    """
    scaled = np.rint(waveform * np.float32(_FULL_SCALE))
    pcm = np.clip(scaled, -_FULL_SCALE, _FULL_SCALE - 1).astype("<i2")
    if codec == "wav":
        samples: bytes = pcm.tobytes()
        return _wav_header(len(pcm), sample_rate) + samples
    file = io.BytesIO()
    sf.write(file, pcm, sample_rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def decode_clip(encoded: bytes | memoryview) -> tuple[NDArray[np.float32], int]:
    """Decode what `encode_audio` made: the waveform (samples,) float32 in [-1, 1), and its rate in Hz.

    Raises:
        ClipError: the bytes are something else, or not whole.
    """
    view = memoryview(encoded)
    return _decode_wav(view) if bytes(view[:4]) == b"RIFF" else _decode_flac(view)


def _wav_header(samples: int, sample_rate: int) -> bytes:
    data_bytes = samples * _SAMPLE_BYTES
    riff = (b"RIFF", _WAV_HEADER.size - 8 + data_bytes, b"WAVE")
    # PCM, 1 channel, samples and bytes a second, bytes a sample, bits.
    kind = (1, 1, sample_rate, sample_rate * _SAMPLE_BYTES, _SAMPLE_BYTES, 8 * _SAMPLE_BYTES)
    return _WAV_HEADER.pack(*riff, b"fmt ", _FMT_BYTES, *kind, b"data", data_bytes)


def _decode_wav(view: memoryview) -> tuple[NDArray[np.float32], int]:
    header = bytes(view[: _WAV_HEADER.size])
    sample_rate = _WAV_HEADER.unpack(header)[7] if len(header) == _WAV_HEADER.size else 0
    samples = (len(view) - len(header)) // _SAMPLE_BYTES
    if header != _wav_header(samples, sample_rate) or len(view) % _SAMPLE_BYTES or sample_rate == 0:
        raise ClipError("a WAV file of another kind, or not a whole one")
    pcm = np.frombuffer(view, "<i2", offset=_WAV_HEADER.size)
    return np.multiply(pcm, np.float32(1 / _FULL_SCALE), dtype=np.float32), sample_rate


def _decode_flac(view: memoryview) -> tuple[NDArray[np.float32], int]:
    try:
        with SequentialFile(io.BytesIO(view)) as stream:
            if stream.channels != 1:
                raise ClipError(f"{stream.channels} channels")
            stated, sample_rate = stream.frames, stream.samplerate
            blocks = list(mono_blocks(stream, stated))
    except sf.LibsndfileError as error:
        raise ClipError(error.error_string) from error
    waveform = blocks[0] if len(blocks) == 1 else np.concatenate([*blocks, np.zeros(0, np.float32)])
    if len(waveform) != stated:
        raise ClipError(f"{len(waveform)} samples of {stated}")
    return waveform, sample_rate
