"""A Standard MIDI File, as small as a renderer needs it."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_DRUM_CHANNEL = 9
_BEND_RANGE_SEMITONES = 12
# One tick is one millisecond: 1000 ticks a quarter note, a quarter note a second.
_TICKS_A_QUARTER, _MICROSECONDS_A_QUARTER = 1000, 1_000_000


@dataclass(frozen=True)
class Note:
    """A key (MIDI number) struck with a velocity (1 to 127) at a time and let go at another."""

    start_seconds: float
    end_seconds: float
    key: int
    velocity: int


def midi_file(  # noqa: PLR0913 - what a MIDI channel is set to
    notes: Iterable[Note], *, bank: int, program: int, cents: float, reverb: int, seconds: float
) -> bytes:
    """One track of one instrument, `seconds` long (Standard MIDI File, format 0).

    `bank` 128 is the drum kits, as in a sound font: they are played on MIDI's channel 10.
    `cents` (within an octave) detunes all notes; `reverb` (0 to 127) is sent to the reverberation.
    A note that lasts longer than the track is let go at its end.
    """
    channel = _DRUM_CHANNEL if bank == 128 else 0
    events = [(0, message) for message in _setup(channel, program, cents, reverb)]
    for note in notes:
        on = bytes([0x90 | channel, note.key, note.velocity])
        off = bytes([0x80 | channel, note.key, 0])
        start, end = (min(at, seconds) for at in (note.start_seconds, note.end_seconds))
        events += [(_ticks(start), on), (_ticks(end), off)]
    events.sort(key=lambda event: event[0])  # stable: the set-up stays first and in order
    return _file(events, _ticks(seconds))


def _setup(channel: int, program: int, cents: float, reverb: int) -> list[bytes]:
    def control(number: int, value: int) -> bytes:
        return bytes([0xB0 | channel, number, value])

    bend = min(round(8192 + 8192 * cents / (100 * _BEND_RANGE_SEMITONES)), 16383)
    return [
        bytes([0xC0 | channel, program]),
        control(7, 127),  # volume
        control(91, reverb),
        control(93, 0),  # chorus
        control(101, 0),  # registered parameter 0: the pitch bend's range
        control(100, 0),
        control(6, _BEND_RANGE_SEMITONES),
        bytes([0xE0 | channel, bend & 0x7F, bend >> 7]),
    ]


def _file(events: Sequence[tuple[int, bytes]], end: int) -> bytes:
    track = bytearray(b"\x00\xff\x51\x03" + _MICROSECONDS_A_QUARTER.to_bytes(3, "big"))
    last = 0
    for tick, message in events:
        track += _variable_length(tick - last) + message
        last = tick
    track += _variable_length(end - last) + b"\xff\x2f\x00"
    header = struct.pack(">4sIHHH", b"MThd", 6, 0, 1, _TICKS_A_QUARTER)
    return header + struct.pack(">4sI", b"MTrk", len(track)) + bytes(track)


def _ticks(seconds: float) -> int:
    return round(seconds * _TICKS_A_QUARTER)


def _variable_length(number: int) -> bytes:
    """MIDI's variable-length number: seven bits a byte, the highest bit on all but the last."""
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))
