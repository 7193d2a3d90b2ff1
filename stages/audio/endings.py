"""Tell a file that was cut short from what its own container says: how long it should be.

Every rule is of the structure, before anything is decoded, and speaks only where it is sure: a
size that stands for "unknown", as in a stream, or bytes that make no sense, prove nothing.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from stages.audio.blocks import truncated
from stages.audio.formats import Format
from stages.audio.iff_chunks import check_samples_chunk
from stages.audio.ogg_pages import check_pages

_MPEG_FRAME_BYTES = 1441  # the longest
_MATROSKA_SEGMENT = b"\x18\x53\x80\x67"


class _Chunk(NamedTuple):
    """A part of a container: where its content begins, and where it says that it ends."""

    name: bytes
    begin: int
    end: int


def check_end(file: BinaryIO, found: Format, size: int) -> None:
    """Check that a file of `size` bytes holds all that its container states.

    Known are WAV and AIFF (the chunk of samples), AVI (its outer chunk), Ogg (pages), MP3 (the
    bytes in a Xing or Info header, but for a frame), MP4 (boxes), Matroska and WebM (the segment)
    and ASF (objects). FLAC is checked where it is read.

    Raises:
        AudioError: "truncated", or "unreadable" for an Ogg page that is broken.
    """
    if found.name in {"riff", "aiff", "avi"}:
        check_samples_chunk(file, size)
    elif found.name == "ogg":
        check_pages(file, found.start, size)
    elif found.name == "mp3":
        _check_xing(file, found.start, size)
    elif found.name == "matroska":
        _check_segment(file, size)
    elif found.name in {"mp4", "asf"}:
        for part in _boxes(file, size) if found.name == "mp4" else _asf_objects(file, size):
            _check_bytes(size, part.end)


def _check_bytes(held: int, stated: int) -> None:
    if held < stated:
        raise truncated(held, stated, "bytes")


def _check_xing(file: BinaryIO, start: int, size: int) -> None:
    """The Xing header of LAME and others: `Xing` or `Info`, flags, frames if 1, bytes if 2."""
    head = _read(file, start, 64)
    is_mpeg1, is_mono = head[1] & 0x08, head[3] >> 6 == 3
    side_bytes = (17 if is_mono else 32) if is_mpeg1 else (9 if is_mono else 17)
    tag = head[4 + side_bytes :]
    flags = int.from_bytes(tag[4:8], "big")
    if tag[:4] not in {b"Xing", b"Info"} or not flags & 2:
        return
    stated = int.from_bytes(tag[12:16] if flags & 1 else tag[8:12], "big")
    if size - start + _MPEG_FRAME_BYTES < stated:  # writers differ in whether they count their tags
        raise truncated(size - start, stated, "bytes")


def _check_segment(file: BinaryIO, size: int) -> None:
    _, stated, begin = _ebml_element(file, 0)
    if stated is None:
        return
    name, stated, begin = _ebml_element(file, begin + stated)
    if name == _MATROSKA_SEGMENT and stated is not None:
        _check_bytes(size, begin + stated)


def _ebml_element(file: BinaryIO, offset: int) -> tuple[bytes, int | None, int]:
    """Its id of 4 bytes, its size (None: unknown) and where its content begins (RFC 8794)."""
    head = _read(file, offset, 12)
    if len(head) < 12 or head[4] == 0:
        return b"", None, offset
    width = 9 - head[4].bit_length()
    value = int.from_bytes(head[4 : 4 + width], "big") & (1 << 7 * width) - 1
    return head[:4], None if value == (1 << 7 * width) - 1 else value, offset + 4 + width


def _boxes(file: BinaryIO, size: int) -> Iterator[_Chunk]:
    """ISO 14496-12, 4.2. A size of 0 means to the end of the file."""
    offset = 0
    while len(head := _read(file, offset, 16)) >= 8 and offset < size:
        length, name = struct.unpack_from(">I4s", head)
        if length == 1 and len(head) == 16:
            (length,) = struct.unpack_from(">Q", head, 8)
        if length < 8 or not name.isascii() or not name.decode().isprintable():
            return
        yield _Chunk(name, offset, offset + length)
        offset += length


def _asf_objects(file: BinaryIO, size: int) -> Iterator[_Chunk]:
    """Advanced Systems Format, section 2.1: an id of 16 bytes and a size of 8."""
    offset = 0
    while len(head := _read(file, offset, 24)) == 24 and offset < size:
        (length,) = struct.unpack_from("<Q", head, 16)
        if length < 24:
            return
        yield _Chunk(head[:16], offset, offset + length)
        offset += length


def _read(file: BinaryIO, offset: int, length: int) -> bytes:
    """Read, or nothing beyond what an offset can be."""
    if offset >= 1 << 63:
        return b""
    file.seek(offset)
    return file.read(length)
