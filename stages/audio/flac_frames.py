"""Find the frames of a FLAC file by their headers (RFC 9639), to know what its decoders will not say."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

_BLOCK_BYTES = 1 << 20
_LONGEST_HEADER = 16
# The sync code, a block size code other than 0, a channel code up to 10 and the reserved bit 0.
_SYNC = re.compile(rb"\xff(?=[\xf8\xf9][\x10-\xff][\x00-\xaf])")
_RATES_HZ = (0, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
_BITS = (0, 8, 12, 0, 16, 20, 24, 32)
_STREAMINFO_BYTES = 34
_LAST_METADATA_TYPE = 6


class StreamInfo(NamedTuple):
    """What the file states of itself (section 8.2). `samples` of each channel; 0 is unknown."""

    rate: int
    channels: int
    bits: int
    samples: int


class FrameHeader(NamedTuple):
    """A frame's own header (section 9.1). A rate of 0 is that of STREAMINFO, and so are 0 bits.

    `number` counts the samples before the frame where `variable` is true, and else the frames.
    """

    variable: bool
    number: int
    samples: int
    rate: int
    channels: int
    bits: int


@dataclass
class Survey:
    """What the frame headers of a file say.

    `info` is None where the file has no STREAMINFO in its place. `uniform`: all frames have the
    rate and the channels of the first. `samples` are those of all frames. `frames_begin` is the
    first byte after the metadata, None where they are broken; `last_frame` that of the last frame.
    """

    info: StreamInfo | None
    frames_begin: int | None
    has_metadata: bool
    first: FrameHeader | None = None
    last: FrameHeader | None = None
    last_frame: int | None = None
    samples: int = 0
    uniform: bool = True

    def add(self, header: FrameHeader, offset: int) -> None:
        """Take a header for a frame's if its number is the one that comes next.

        Any bytes may look like a header once in some ten million; this makes it once in far more.
        """
        last = self.last
        if last is not None:
            step = last.samples if last.variable else 1
            if header.variable != last.variable or header.number != last.number + step:
                return
        self.first = self.first or header
        self.uniform &= header[3:5] == self.first[3:5]
        self.last, self.last_frame = header, offset
        self.samples += header.samples


def survey(file: BinaryIO, start: int) -> Survey:
    """Read all frame headers of the FLAC stream that begins at byte `start`."""
    file.seek(start)
    head = file.read(8 + _STREAMINFO_BYTES)
    found = Survey(
        _stream_info(head), _skip_metadata(file, start), has_metadata=head[:4] == b"fLaC"
    )
    if found.frames_begin is not None:
        for header, offset in _headers(file, found.frames_begin):
            found.add(header, offset)
    return found


def _stream_info(head: bytes) -> StreamInfo | None:
    if head[:4] != b"fLaC" or len(head) < 8 + _STREAMINFO_BYTES or head[4] & 0x7F != 0:
        return None
    packed = int.from_bytes(head[18:26], "big")
    return StreamInfo(
        rate=packed >> 44,
        channels=(packed >> 41 & 7) + 1,
        bits=(packed >> 36 & 31) + 1,
        samples=packed & (1 << 36) - 1,
    )


def _skip_metadata(file: BinaryIO, start: int) -> int | None:
    """Find the byte after the last metadata block; None where the blocks make no sense."""
    file.seek(start)
    if file.read(4) != b"fLaC":
        return start
    offset, last = start + 4, False
    while not last:
        file.seek(offset)
        head = file.read(4)
        last = len(head) < 4 or head[0] >= 0x80
        if len(head) == 4 and head[0] & 0x7F > _LAST_METADATA_TYPE:
            return None
        offset += 4 + int.from_bytes(head[1:], "big")
    return offset


def _headers(file: BinaryIO, offset: int) -> Iterator[tuple[FrameHeader, int]]:
    """All that looks like a frame header, and the byte where it begins."""
    file.seek(offset)
    data, more = b"", True
    while more:
        block = file.read(_BLOCK_BYTES)
        more = len(block) > 0
        data += block or bytes(_LONGEST_HEADER)
        end = max(0, len(data) - _LONGEST_HEADER)  # where a header is whole
        for match in _SYNC.finditer(data, 0, end + 3):  # it looks at the 3 bytes that follow
            header = _parse(data[match.start() : match.start() + _LONGEST_HEADER])
            if header is not None:
                yield header, offset + match.start()
        offset += end
        data = data[end:]


def _parse(data: bytes) -> FrameHeader | None:
    """Parse a frame header at the start of `data`, 16 bytes; None if it is none."""
    size_code, rate_code = data[2] >> 4, data[2] & 15
    channel_code, bits_code = data[3] >> 4, data[3] >> 1 & 7
    if data[4] in range(0x80, 0xC0) or data[4] == 0xFF or rate_code == 15:
        return None
    more = max(
        0, 8 - (data[4] ^ 0xFF).bit_length() - 1
    )  # leading ones, less one: bytes that follow
    at = 5 + more
    number = data[4] & (0x7F >> more + (more > 0))
    for byte in data[5:at]:
        number = number << 6 | byte & 0x3F
    size_bytes = {6: 1, 7: 2}.get(size_code, 0)
    rate_bytes = {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    size_field = int.from_bytes(data[at : at + size_bytes], "big")
    at += size_bytes
    rate_field = int.from_bytes(data[at : at + rate_bytes], "big")
    at += rate_bytes
    if at >= len(data) or _crc8(data[:at]) != data[at]:
        return None
    return FrameHeader(
        variable=bool(data[1] & 1),
        number=number,
        samples=_samples(size_code, size_field),
        rate=rate_field * {12: 1000, 14: 10}.get(rate_code, 1)
        if rate_bytes
        else _RATES_HZ[rate_code],
        channels=channel_code + 1 if channel_code < 8 else 2,
        bits=_BITS[bits_code],
    )


def _samples(code: int, field: int) -> int:
    if code in {6, 7}:
        return field + 1
    return 192 if code == 1 else 144 << code if code < 6 else 1 << code


def is_whole(frame: bytes) -> bool:
    """Tell whether a frame ends with its checksum (section 9.3)."""
    crc = 0
    for byte in frame:
        crc = (crc << 8 & 0xFFFF) ^ _CRC16[crc >> 8 ^ byte]
    return crc == 0


def _crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc = _CRC8[crc ^ byte]
    return crc


def _table(polynomial: int, bits: int) -> tuple[int, ...]:
    """The remainder of each byte by a polynomial, its highest power left out."""
    top = 1 << bits - 1
    table = []
    for byte in range(256):
        crc = byte << bits - 8
        for _ in range(8):
            crc = (crc << 1 ^ (polynomial if crc & top else 0)) & (1 << bits) - 1
        table.append(crc)
    return tuple(table)


_CRC8 = _table(0x07, 8)  # x^8 + x^2 + x + 1, section 9.1.8
_CRC16 = _table(0x8005, 16)  # x^16 + x^15 + x^2 + 1
