"""Any audio file that libsndfile reads -> mono float32 at one sample rate."""

import hashlib
import io
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from stages.errors import AudioError

_LEAST_VALUES, _MOST_VALUES = 1 << 12, 1 << 19  # frames x channels read at once, at most 2 MiB
_HIGHEST_RATE_HZ = 768_000  # a header that says more is wrong, and would multiply the memory needed


@dataclass(frozen=True)
class DecodedAudio:
    """A decoded file.

    `waveform` is (samples,) float32 at `sample_rate` Hz, full scale at -1 and 1, and not clipped:
    lossy formats, float formats and resampling may go beyond. `source_sample_rate` (Hz) and
    `channels` are the file's own; `source_sha256` is the hash of its bytes, in hex.
    """

    waveform: NDArray[np.float32]
    sample_rate: int
    source_sample_rate: int
    channels: int
    source_sha256: str


class SequentialFile(sf.SoundFile):  # type: ignore[misc]  # soundfile is untyped for mypy
    """A sound file read from start to end only.

    soundfile trusts the header's frame count of a seekable file, and seeks after every read. Both
    fail on a FLAC file whose header leaves the count open, which the format allows.
    """

    def seekable(self) -> bool:
        """Never seek."""
        return False


def decode_file(path: Path, sample_rate: int, max_seconds: float) -> DecodedAudio:
    """Decode a file to mono at `sample_rate` Hz.

    Mono is the mean of the channels; the whole signal is resampled by soxr in its high quality
    (HQ), or left as it is where the rates are equal. Memory follows what the file holds, up to
    `max_seconds`, and never what its header promises.

    Raises:
        AudioError: with code "missing", "unreadable" (also: a sample is not finite), "empty" (no
            samples) or "too_long" (more than `max_seconds`). The message does not repeat `path`.
    """
    try:
        with _open(path) as file:
            mono, source_rate, channels = _read(file, max_seconds)
            # Read again for the hash, out of the page cache: nothing then holds the whole file.
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise AudioError("missing", "no such file") from error
    except OSError as error:
        raise _unreadable(error.strerror or str(error)) from error
    waveform = _resample(mono, source_rate, sample_rate)
    return DecodedAudio(waveform, sample_rate, source_rate, channels, digest)


def _unreadable(why: str) -> AudioError:
    return AudioError("unreadable", f"cannot be read as audio: {why}")


def _open(path: Path) -> io.FileIO:
    if not stat.S_ISREG(path.stat().st_mode):
        raise _unreadable("a folder or a device, not a file")  # opening a pipe would wait for ever
    return path.open("rb", buffering=0)


def _read(file: io.FileIO, max_seconds: float) -> tuple[NDArray[np.float32], int, int]:
    """The mono signal (samples,), its rate in Hz and the number of channels."""
    try:
        # By descriptor: libsndfile then goes by what the file holds, not by its extension.
        with SequentialFile(file.fileno(), closefd=False) as stream:
            rate, channels = stream.samplerate, stream.channels
            if not 0 < rate <= _HIGHEST_RATE_HZ:
                raise _unreadable(f"a sample rate of {rate} Hz")
            mono = read_mono(stream, int(max_seconds * rate))
    except sf.LibsndfileError as error:
        raise _unreadable(error.error_string or "libsndfile gives no reason") from error
    if len(mono) == 0:
        raise AudioError("empty", "holds no samples")
    _check_finite(mono, rate)
    return mono, rate, channels


def read_mono(stream: SequentialFile, max_samples: int | None = None) -> NDArray[np.float32]:
    """Read the rest of a stream: the mean of its channels (samples,) float32, to where it ends.

    Raises:
        AudioError: with code "too_long" as soon as there are more than `max_samples`.
        soundfile.LibsndfileError: the stream is broken.
    """
    kept: list[NDArray[np.float32]] = []
    samples = 0
    for block in _mono_blocks(stream):
        samples += len(block)
        if max_samples is not None and samples > max_samples:
            raise AudioError("too_long", f"more than {max_samples / stream.samplerate:g} s")
        kept.append(block)
    return kept[0] if len(kept) == 1 else np.concatenate([*kept, np.zeros(0, np.float32)])


def _mono_blocks(stream: SequentialFile) -> Iterator[NDArray[np.float32]]:
    channels: int = stream.channels
    least, most = (max(1, values // channels) for values in (_LEAST_VALUES, _MOST_VALUES))
    expected: int = (
        stream.frames
    )  # a hint: libsndfile fills what is asked beyond the end with zeros
    while len(block := _read_block(stream, min(max(expected, least), most))):
        mono = block[:, 0]
        for channel in range(1, channels):  # several times faster than mean(axis=1)
            mono += block[:, channel]
        yield mono / np.float32(channels) if channels > 1 else mono
        expected -= len(block)


def _read_block(stream: SequentialFile, frames: int) -> NDArray[np.float32]:
    block: NDArray[np.float32] = stream.read(frames, dtype="float32", always_2d=True)
    return block


def _check_finite(signal: NDArray[np.float32], rate: int) -> None:
    finite = np.isfinite(signal)
    if not finite.all():
        first = int(np.argmin(finite))
        raise _unreadable(f"the sample at {first / rate:.3f} s is {signal[first]}")


def _resample(mono: NDArray[np.float32], rate: int, wanted: int) -> NDArray[np.float32]:
    if rate == wanted:
        return mono
    waveform: NDArray[np.float32] = soxr.resample(mono, rate, wanted, quality="HQ")
    if len(waveform) == 0:
        raise AudioError("empty", f"{len(mono)} samples at {rate} Hz are none at {wanted} Hz")
    _check_finite(waveform, wanted)  # finite samples near the largest float can overflow here
    return waveform
