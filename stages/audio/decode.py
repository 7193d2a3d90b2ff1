"""Any audio file -> mono float32 at one sample rate."""

import hashlib
import io
import stat
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from stages.audio import ffmpeg, flac, libsndfile
from stages.audio.blocks import Block, unreadable
from stages.audio.cutting import Cut, Run, take
from stages.audio.endings import check_end
from stages.audio.formats import Format, format_of
from stages.audio.iff_chunks import is_open_ended
from stages.audio.levels import Levels, levels_of
from stages.audio.resample import resample
from stages.errors import AudioError

__all__ = ["Cut", "DecodedAudio", "decode_audio"]


@dataclass(frozen=True)
class DecodedAudio:
    """A decoded file, or the part of it that was wanted.

    `waveform` is (samples,) float32 at `sample_rate` Hz, full scale at -1 and 1, and not clipped:
    lossy formats, float formats and resampling may go beyond. `source_sample_rate` (Hz) and
    `channels` are the file's own (of what was taken, the first, where they change in the middle);
    `source_sha256` is the hash of all its bytes, in hex.
    """

    waveform: NDArray[np.float32]
    sample_rate: int
    source_sample_rate: int
    channels: int
    source_sha256: str
    levels: Levels


def decode_audio(
    source: Path | bytes, sample_rate: int, max_seconds: float, cut: Cut | None = None
) -> DecodedAudio:
    """Decode a file, or the bytes of one, to mono at `sample_rate` Hz.

    The format is told from the first bytes. Mono is the mean of the channels; the whole (cut) signal
    is resampled by soxr in its high quality (HQ), or left as it is where the rates are equal. Where
    the rate changes in the middle, each piece is resampled by its own. Memory follows what the
    file holds and is wanted, up to `max_seconds`, and never what a header promises; a cut of a
    long file is decoded from its start, and keeps its part only.

    Lengths are what the container says: encoder delay and padding are dropped where it states
    them, as LAME's MP3, MP4 edit lists, Opus and Vorbis do, and are part of the signal where not.

    Raises:
        AudioError: with code "missing", "unreadable" (also: a sample is not finite), "truncated"
            (ends before the length that its own header states, wherever the cut is), "empty" (no
            samples), "too_short" (ends before the cut begins) or "too_long" (more than
            `max_seconds` are wanted). The message does not repeat the path.
    """
    try:
        with _open(source) as file:
            with closing(_blocks(file)) as blocks:
                runs = take(blocks, cut, max_seconds)
            # Read again for the hash, out of the page cache: nothing then holds the whole file.
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    except FileNotFoundError as error:
        raise AudioError("missing", "no such file") from error
    except OSError as error:
        raise unreadable(error.strerror or str(error)) from error
    pieces = [(_joined(run), run.rate) for run in runs]
    waveform = _resample(pieces, sample_rate)
    levels = levels_of(waveform, [mono for mono, _ in pieces])
    return DecodedAudio(waveform, sample_rate, runs[0].rate, runs[0].channels, digest, levels)


def _open(source: Path | bytes) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if not stat.S_ISREG(source.stat().st_mode):
        raise unreadable("a folder or a device, not a file")  # opening a pipe would wait for ever
    return source.open("rb", buffering=0)


def _blocks(file: BinaryIO) -> Generator[Block, None, None]:
    size = file.seek(0, io.SEEK_END)
    if size == 0:
        raise AudioError("empty", "a file of 0 bytes")
    found = format_of(file)
    if found is None:
        raise unreadable("it begins like no format that is known")
    check_end(file, found, size)
    if found.name == "flac":
        return flac.read_blocks(file, found.start, size)
    return _by_either(file, found, size)


def _by_either(file: BinaryIO, found: Format, size: int) -> Generator[Block, None, None]:
    """Read by libsndfile what it knows, and else by FFmpeg."""
    # libsndfile takes a WAV file of unknown length for an empty one, where the unknown is a 0.
    if found.libsndfile and not (found.demuxer == "wav" and is_open_ended(file, size)):
        try:
            yield from libsndfile.read_blocks(file)
        except libsndfile.CannotOpenError as error:
            if found.demuxer is None:
                raise unreadable(str(error)) from error
        else:
            return
    if found.demuxer is not None:
        yield from ffmpeg.read_blocks(file, found.demuxer)


def _joined(run: Run) -> NDArray[np.float32]:
    mono = run.kept[0] if len(run.kept) == 1 else np.concatenate(run.kept)
    _check_finite(mono, run.rate)
    return mono


def _check_finite(signal: NDArray[np.float32], rate: int) -> None:
    finite = np.isfinite(signal)
    if not finite.all():
        first = int(np.argmin(finite))
        raise unreadable(f"the sample at {first / rate:.3f} s is {signal[first]}")


def _resample(pieces: list[tuple[NDArray[np.float32], int]], wanted: int) -> NDArray[np.float32]:
    """Resample each piece (samples,) from its rate in Hz, and join them."""
    resampled = [resample(mono, rate, wanted) for mono, rate in pieces]
    waveform: NDArray[np.float32] = (
        resampled[0] if len(resampled) == 1 else np.concatenate(resampled)
    )
    if len(waveform) == 0:
        mono, rate = pieces[0]
        raise AudioError("empty", f"{len(mono)} samples at {rate} Hz are none at {wanted} Hz")
    _check_finite(waveform, wanted)  # finite samples near the largest float can overflow here
    return waveform
