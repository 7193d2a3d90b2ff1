"""The sound font, and which of its recordings a preset plays on a key."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stages.demo_data.sound_font import find_sound_font
from stages.demo_data.voices import Voice

# Generators of the SoundFont 2.01 specification, section 8.1.3.
_INSTRUMENT, _KEY_RANGE, _SAMPLE = 41, 43, 53
_ALL_KEYS = 0x7F00
_RECORD_BYTES = {"phdr": 38, "pbag": 4, "pgen": 4, "inst": 22, "ibag": 4, "igen": 4}


@pytest.fixture(scope="session")
def sound_font() -> Path:
    return find_sound_font().path


@pytest.fixture(scope="session")
def samples_of(sound_font: Path) -> Callable[[Voice], set[int]]:
    """The numbers of the recordings that a voice plays on any of its keys."""
    tables = _tables(sound_font.read_bytes())
    presets = {_unpack("<HH", row, 20): index for index, row in enumerate(tables["phdr"][:-1])}

    def samples(voice: Voice) -> set[int]:
        preset = presets[voice.program, voice.bank]
        return {
            sample
            for generators in _zones(tables, "phdr", 24, "pbag", "pgen", preset)
            if _INSTRUMENT in generators
            for inner in _zones(tables, "inst", 20, "ibag", "igen", generators[_INSTRUMENT])
            if (sample := inner.get(_SAMPLE)) is not None
            and any(_within(key, generators) and _within(key, inner) for key in voice.keys)
        }

    return samples


def _unpack(form: str, row: bytes, offset: int) -> tuple[int, ...]:
    return struct.unpack_from(form, row, offset)


def _within(key: int, generators: dict[int, int]) -> bool:
    both = generators.get(_KEY_RANGE, _ALL_KEYS)
    return both & 0xFF <= key <= both >> 8


def _zones(  # the bags of preset or instrument `index`, each as generator -> amount
    tables: dict[str, list[bytes]], owners: str, offset: int, bags: str, gens: str, index: int
) -> Iterator[dict[int, int]]:
    first, last = (_unpack("<H", tables[owners][at], offset)[0] for at in (index, index + 1))
    for bag in range(first, last):
        start, stop = (_unpack("<H", tables[bags][at], 0)[0] for at in (bag, bag + 1))
        yield dict(_unpack("<HH", row, 0) for row in tables[gens][start:stop])


def _tables(content: bytes) -> dict[str, list[bytes]]:
    """The records of the font's `pdta` list."""
    at = content.index(b"pdta") + 4
    tables = {}
    while at < len(content):
        name, size = content[at : at + 4].decode(), struct.unpack_from("<I", content, at + 4)[0]
        body = content[at + 8 : at + 8 + size]
        if name in _RECORD_BYTES:
            step = _RECORD_BYTES[name]
            tables[name] = [body[place : place + step] for place in range(0, size, step)]
        at += 8 + size
    return tables
