"""Read sound files by libsndfile: WAV, FLAC, Ogg, AIFF and their kin."""

import io
from collections.abc import Generator, Iterator
from typing import BinaryIO

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from stages.audio.blocks import Block, check_rate, mean_of_channels, unreadable

_LEAST_VALUES, _MOST_VALUES = 1 << 12, 1 << 19  # frames x channels read at once, at most 2 MiB


class SequentialFile(sf.SoundFile):  # type: ignore[misc]  # soundfile is untyped for mypy
    """A sound file read from start to end only.

    soundfile trusts the header's frame count of a seekable file, and seeks after every read. Both
    fail on a FLAC file whose header leaves the count open, which the format allows.
    """

    def seekable(self) -> bool:
        """Never seek."""
        return False


class CannotOpenError(Exception):
    """libsndfile does not know the format, or this kind of it."""


def read_blocks(file: BinaryIO, most_samples: int | None = None) -> Generator[Block, None, None]:
    """Read a file from its start; at most `most_samples` of each channel.

    Memory follows what the file holds, never what its header promises. The type of the file is
    seen from what it holds; names do not count.

    Raises:
        CannotOpenError: before the first block; another reader may know the file.
        AudioError: "unreadable": the stream is broken.
    """
    file.seek(0)
    # A descriptor spares the detour of every read through Python.
    target = file.fileno() if isinstance(file, io.FileIO) else file
    try:
        stream = SequentialFile(target, closefd=False)
    except sf.LibsndfileError as error:
        raise CannotOpenError(_reason(error)) from error
    with stream:
        check_rate(stream.samplerate)
        try:
            for mono in mono_blocks(stream, most_samples):
                yield Block(mono, stream.samplerate, stream.channels)
        except sf.LibsndfileError as error:
            raise unreadable(_reason(error)) from error


def mono_blocks(
    stream: SequentialFile, most_samples: int | None = None
) -> Iterator[NDArray[np.float32]]:
    """Read the rest of a stream: the mean of its channels, (samples,) float32 a block.

    Raises:
        soundfile.LibsndfileError: the stream is broken.
    """
    channels: int = stream.channels
    least, most = (max(1, values // channels) for values in (_LEAST_VALUES, _MOST_VALUES))
    # A hint: libsndfile fills what is asked beyond the end with zeros.
    expected: int = stream.frames
    while most_samples is None or most_samples > 0:
        wanted = min(max(expected, least), most)
        if most_samples is not None:
            wanted = min(wanted, most_samples)
            most_samples -= wanted
        block: NDArray[np.float32] = stream.read(wanted, dtype="float32", always_2d=True)
        if len(block) == 0:
            return
        yield mean_of_channels(block.T)
        expected -= len(block)


def _reason(error: sf.LibsndfileError) -> str:
    return error.error_string or "libsndfile gives no reason"
