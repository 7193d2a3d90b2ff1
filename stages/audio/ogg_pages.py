"""Check the pages of an Ogg file (RFC 3533): libogg passes over a broken one without a word."""

import struct
import zlib
from typing import BinaryIO

from stages.audio.blocks import truncated, unreadable

_HEADER = struct.Struct("<4sBBqIIIB")
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def check_pages(file: BinaryIO, start: int, size: int) -> None:
    """Check that the pages follow each other whole, to the end. What is after the last one is no matter.

    A file that ends with a whole page is taken for whole: many lack the mark of the last page.

    Raises:
        AudioError: "truncated": the file ends within a page; "unreadable": a page is broken.
    """
    offset = start
    while offset < size:
        file.seek(offset)
        page = file.read(_HEADER.size)
        if not page.startswith(b"OggS"):
            _check_rest(file, offset)
            return
        segments = file.read(page[-1]) if len(page) == _HEADER.size else b""
        end = offset + len(page) + len(segments) + sum(segments)
        if len(page) < _HEADER.size or len(segments) < page[-1] or end > size:
            raise truncated(size, max(end, offset + _HEADER.size), "bytes")
        page += segments + file.read(sum(segments))
        if _crc(page) != _HEADER.unpack_from(page)[6]:
            raise unreadable(f"the Ogg page at byte {offset:,} is broken")
        offset = end


def _check_rest(file: BinaryIO, offset: int) -> None:
    """Tell tags behind the last page from a page whose header is broken."""
    file.seek(offset)
    carry = b""
    while block := file.read(1 << 20):
        if b"OggS\x00" in carry + block:
            raise unreadable(f"at byte {offset:,} there is no Ogg page")
        carry = block[-4:]


def _crc(page: bytes) -> int:
    """CRC-32 by 0x04c11db7, highest bit first, of the page with its checksum as 0.

    zlib's is of the same polynomial, lowest bit first, with all bits inverted before and after.
    """
    blank = page[:22] + bytes(4) + page[26:]
    mirrored = zlib.crc32(blank.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
