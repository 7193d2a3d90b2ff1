"""Recognise MP3 (MPEG audio) and AAC (ADTS) streams, which have no magic bytes, by their frames."""

import re
from typing import NamedTuple

_FRAMES = 3  # as many in a row are no accident
_SYNC = re.compile(rb"\xff(?=[\xe2-\xff])")
_RATES_HZ = (44100, 48000, 32000)
# Bit rates in kbit/s by MPEG 1 or not, and layer (ISO 11172-3, 2.4.2.3, and ISO 13818-3).
_KBITS = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


class MpegAudio(NamedTuple):
    """A stream of frames: "mp3" or "aac", and where in the data its first frame begins."""

    name: str
    offset: int


class _Frame(NamedTuple):
    name: str
    kind: bytes  # what the headers of one stream share
    length: int


def find_mpeg_audio(data: bytes, *, is_whole: bool) -> MpegAudio | None:
    """Find where three frames of one stream follow each other: two, if the data then end.

    `is_whole`: the data are all of the file, and not only its head.
    """
    for match in _SYNC.finditer(data):
        first = _frame(data, match.start())
        if first is not None and _is_followed(data, match.start(), first, is_whole):
            return MpegAudio(first.name, match.start())
    return None


def is_cut(packet: bytes) -> bool:
    """Tell whether a frame is shorter than its header says."""
    frame = _frame(packet, 0)
    return frame is not None and len(packet) < frame.length


def _is_followed(data: bytes, offset: int, first: _Frame, is_whole: bool) -> bool:
    frame: _Frame | None = first
    found = 0
    while frame is not None and frame.kind == first.kind:
        found += 1
        offset += frame.length
        if found == _FRAMES:
            return True
        if is_whole and offset >= len(data):
            return found > 1
        frame = _frame(data, offset)
    return False


def _frame(data: bytes, offset: int) -> _Frame | None:
    header = data[offset : offset + 6]
    if len(header) < 4 or header[0] != 0xFF or header[1] < 0xE2:
        return None
    layer = 4 - (header[1] >> 1 & 3)
    if layer == 4:
        return _adts_frame(header)
    version = header[1] >> 3 & 3  # 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
    bit_rate, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or bit_rate in {0, 15} or rate == 3:
        return None
    bits = 1000 * _KBITS[version == 3, layer][bit_rate - 1]
    rate_hz = _RATES_HZ[rate] >> {3: 0, 2: 1, 0: 2}[version]
    if layer == 1:
        length = (12 * bits // rate_hz + padding) * 4
    else:
        length = (144 if version == 3 or layer == 2 else 72) * bits // rate_hz + padding
    return _Frame("mp3", bytes([header[1] & 0xFE, header[2] & 0x0C]), length)


def _adts_frame(header: bytes) -> _Frame | None:
    """ISO 14496-3, 1.A.2.2."""
    if len(header) < 6 or header[1] < 0xF0 or header[2] >> 2 & 15 > 12:
        return None
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    if length < 8:
        return None
    return _Frame("aac", bytes([header[1], header[2] & 0xFD, header[3] & 0xC0]), length)
