"""Read FLAC: by the decoder that gets this file right, and strictly."""

from collections.abc import Generator, Iterator
from typing import BinaryIO

from stages.audio import ffmpeg, libsndfile
from stages.audio.blocks import Block, truncated, unreadable
from stages.audio.flac_frames import Survey, is_whole, survey
from stages.errors import AudioError

_LIBSNDFILE_BITS = (8, 16, 24)


def read_blocks(file: BinaryIO, start: int, size: int) -> Generator[Block, None, None]:
    """Read the FLAC stream that begins at byte `start` of a file of `size` bytes.

    libsndfile does not see a change of rate, stops where a wrong STREAMINFO says, and knows 8, 16
    and 24 bits only; FFmpeg does not know a change of bits. The frame headers tell which to take.

    Raises:
        AudioError: "unreadable": a frame is broken, or missing in the middle; "truncated": the file
            ends before the samples that its STREAMINFO states, or within a frame.
    """
    found = survey(file, start)
    _check_end(found, size)
    try:
        if _needs_ffmpeg(found):
            yield from _all_of(found, ffmpeg.read_blocks(file, "flac"))
        else:
            stated = found.info.samples if found.info else 0
            yield from _all_of(found, libsndfile.read_blocks(file, stated or None))
    except (AudioError, libsndfile.CannotOpenError) as error:
        if _ends_within_a_frame(file, found, size):
            raise AudioError("truncated", "ends in the middle of a FLAC frame") from error
        if isinstance(error, libsndfile.CannotOpenError):
            raise unreadable(str(error)) from error
        raise


def _needs_ffmpeg(found: Survey) -> bool:
    if found.first is None:
        return False
    if found.info is None:
        return not found.has_metadata
    rates = {found.first.rate or found.info.rate, found.info.rate}
    return (
        found.info.bits not in _LIBSNDFILE_BITS
        or not found.uniform
        or len(rates) > 1
        or found.first.channels != found.info.channels
        or 0 < found.info.samples < found.samples
    )


def _all_of(found: Survey, blocks: Iterator[Block]) -> Generator[Block, None, None]:
    """Pass the blocks on, and see that they are as many samples as the frames that were found."""
    samples = 0
    for block in blocks:
        yield block
        samples += len(block.mono)
    if samples < found.samples:
        raise unreadable(f"{samples} samples are left of {found.samples} in its FLAC frames")


def _check_end(found: Survey, size: int) -> None:
    """Raise "truncated" where the last frame is not the last one that STREAMINFO counts."""
    if found.info is None or found.samples >= found.info.samples:
        return
    cut_in_metadata = found.frames_begin is not None and size <= found.frames_begin
    if cut_in_metadata or _ends_with_last_frame(found, size):
        rate = found.info.rate or 1
        raise truncated(found.samples / rate, found.info.samples / rate, "s")


def _ends_with_last_frame(found: Survey, size: int) -> bool:
    """Tell whether the last frame that was found can be the last in the file: none is that long."""
    if found.last is None or found.last_frame is None:
        return False
    bits = found.last.bits or (found.info.bits if found.info else 32)
    longest = found.last.samples * found.last.channels * (bits + 1) // 8 + 1024
    return size - found.last_frame <= longest


def _ends_within_a_frame(file: BinaryIO, found: Survey, size: int) -> bool:
    if found.last_frame is None or not _ends_with_last_frame(found, size):
        return False
    file.seek(found.last_frame)
    return not is_whole(file.read(size - found.last_frame))
