"""The chunk of samples in a WAV or AIFF file: is all of it there, and does it say how long it is."""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from stages.audio.blocks import truncated

_UNKNOWN_SIZE = 0x7FFF0000  # writers of streams state 0, or about the most that fits


class SamplesChunk(NamedTuple):
    """What the headers say of the samples.

    They begin at byte `begin` and take `stated` bytes, None where that is unknown; `outer` is the
    length of the file that its first chunk states. `align` bytes are a sample of all channels; a
    rate of 0 `bytes_a_second` is unknown.
    """

    begin: int
    stated: int | None
    outer: int
    align: int
    bytes_a_second: int


def check_samples_chunk(file: BinaryIO, size: int) -> None:
    """Check that a file of `size` bytes holds the samples that it states.

    Raises:
        AudioError: "truncated".
    """
    found = _find(file, size)
    if found.begin == 0:
        if size < found.outer < _UNKNOWN_SIZE:
            raise truncated(size, found.outer, "bytes")
    elif found.stated is not None:
        held = size - found.begin
        if held // found.align < found.stated // found.align:
            scale, unit = (found.bytes_a_second, "s") if found.bytes_a_second else (1, "bytes")
            raise truncated(held / scale, found.stated / scale, unit)


def is_open_ended(file: BinaryIO, size: int) -> bool:
    """Tell a file whose writer never filled in the lengths, and left 0, from one without samples."""
    found = _find(file, size)
    unfinished = found.outer <= found.begin or found.outer >= _UNKNOWN_SIZE
    return found.stated is None and unfinished and size > found.begin > 0


def _find(file: BinaryIO, size: int) -> SamplesChunk:
    """Find the samples; `begin` is 0 where there are none."""
    file.seek(0)
    head = file.read(8)
    order = "<" if head[:4] in {b"RIFF", b"RF64", b"BW64"} else ">"
    (outer,) = struct.unpack_from(f"{order}I", head, 4)
    align, bytes_a_second, wide = 1, 0, None
    for name, begin, stated in _chunks(file, size, order):
        content = file.read(16)
        if name == b"fmt " and len(content) == 16:
            bytes_a_second, align = struct.unpack_from(f"{order}IH", content, 8)
        elif name == b"ds64" and len(content) == 16:
            (wide,) = struct.unpack_from("<Q", content, 8)
        elif name in {b"data", b"SSND"}:
            length: int | None = wide if wide is not None and stated == 0xFFFFFFFF else stated
            if wide is None and (stated == 0 or stated >= _UNKNOWN_SIZE):
                length = None
            return SamplesChunk(begin, length, outer + 8, max(1, align), bytes_a_second)
    return SamplesChunk(0, None, outer + 8, 1, 0)


def _chunks(file: BinaryIO, size: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Name, beginning and stated length of each chunk; the file is then at the beginning."""
    offset = 12
    while offset + 8 <= size:
        file.seek(offset)
        name, length = struct.unpack(f"{order}4sI", file.read(8))
        yield name, offset + 8, length
        offset += 8 + length + length % 2
