"""Tell the format of a file by its first bytes: names do not count, and nothing is guessed."""

import re
from typing import BinaryIO, NamedTuple

from stages.audio.mpeg_frames import find_mpeg_audio


class Format(NamedTuple):
    """A format, and what reads it.

    `libsndfile`: that reader is tried first. `demuxer` is FFmpeg's name; None where it has none.
    `start`: where in the file it begins (after ID3 tags; of MP3 and AAC, the first frame).
    """

    name: str
    libsndfile: bool
    demuxer: str | None
    start: int = 0


_HEAD_BYTES = 1 << 16
_ID3_HEADER = 10

# Closed: FFmpeg knows hundreds of formats more, playlists and scripts among them, and takes text
# and headerless samples for some of them.
_KNOWN = (
    (rb"(RIFF|RIFX|RF64|BW64)....WAVE", Format("riff", True, "wav")),
    (rb"RIFF....AVI ", Format("avi", False, "avi")),
    (rb"FORM....AIF[FC]", Format("aiff", True, "aiff")),
    (rb"fLaC|\xff[\xf8\xf9][\x10-\xff][\x00-\xaf]", Format("flac", True, "flac")),
    (rb"OggS", Format("ogg", True, "ogg")),
    (rb"caff\x00\x01", Format("caf", True, "caf")),
    (rb"\.snd", Format("au", True, "au")),
    (rb"riff\x2e\x91\xcf\x11", Format("w64", True, "w64")),
    (rb"NIST_1A", Format("nist", True, None)),
    (rb"Creative Voice File\x1a", Format("voc", True, "voc")),
    (rb"\x00\x00..ftyp|\x00...(moov|mdat|free|skip|wide|pnot)", Format("mp4", False, "mov")),
    (rb"\x1a\x45\xdf\xa3", Format("matroska", False, "matroska")),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Format("asf", False, "asf")),
    (rb"#!AMR", Format("amr", False, "amr")),
    (rb"FLV\x01", Format("flv", False, "flv")),
    (rb"MAC ", Format("ape", False, "ape")),
    (rb"wvpk", Format("wavpack", False, "wv")),
    (rb"TTA1", Format("tta", False, "tta")),
    (rb"\x00\x00\x01\xba", Format("mpeg", False, "mpeg")),
    (rb"G.{187}G.{187}G", Format("mpegts", False, "mpegts")),
)
_KNOWN_PATTERNS = tuple((re.compile(pattern, re.DOTALL), known) for pattern, known in _KNOWN)


def format_of(file: BinaryIO) -> Format | None:
    """Tell the format of a file; None where it is none of those known."""
    start = _skip_id3(file)
    file.seek(start)
    head = file.read(_HEAD_BYTES)
    for pattern, known in _KNOWN_PATTERNS:
        if pattern.match(head):
            return known._replace(start=start)
    mpeg = find_mpeg_audio(head, is_whole=len(head) < _HEAD_BYTES)
    if mpeg is None:
        return None
    return Format(mpeg.name, False, mpeg.name, start + mpeg.offset)


def _skip_id3(file: BinaryIO) -> int:
    """Find the byte after the ID3v2 tags that the file begins with."""
    start = 0
    while True:
        file.seek(start)
        head = file.read(_ID3_HEADER)
        if head[:3] != b"ID3" or len(head) < _ID3_HEADER or max(head[6:]) > 0x7F:
            return start
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        start += _ID3_HEADER * (2 if head[5] & 0x10 else 1) + size
