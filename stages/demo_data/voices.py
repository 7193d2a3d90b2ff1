"""The instruments and effects of the sound font that the demonstration's labels are made of."""

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Voice:
    """One way to sound a label: a preset of the sound font, played on some of its keys.

    `bank` is 0 for the instruments and 128 for the drum kits. A note is a key of `keys` (MIDI
    numbers, ascending), out of tune by `low_cents` to `high_cents`. `held_out` is empty for a voice
    to train on; otherwise it says what the training voices of the label lack: the recorded
    `samples`, the `preset` that plays them, the `keys`, or the `tuning`.
    """

    label: str
    preset: str
    bank: int
    program: int
    keys: tuple[int, ...]
    low_cents: int
    high_cents: int
    playing: str
    held_out: str


@cache
def all_voices() -> tuple[Voice, ...]:
    """The table voices.csv, in its order: grouped by label, labels in AudioSet's order."""
    text = files(__package__).joinpath("voices.csv").read_text(encoding="utf-8")
    return tuple(_voice(row) for row in csv.DictReader(text.splitlines()))


def _voice(row: dict[str, str]) -> Voice:
    return Voice(
        label=row["label"],
        preset=row["preset"],
        bank=int(row["bank"]),
        program=int(row["program"]),
        keys=tuple(key for part in row["keys"].split() for key in _key_range(part)),
        low_cents=int(row["low_cents"]),
        high_cents=int(row["high_cents"]),
        playing=row["playing"],
        held_out=row["held_out"],
    )


def _key_range(text: str) -> range:
    """`60-66` or `60`, both ends included."""
    low, _, high = text.partition("-")
    return range(int(low), int(high or low) + 1)


@cache
def voices_of(split: str) -> dict[str, tuple[Voice, ...]]:
    """The voices that each label is played by in a split: eval has its own, train and valid share."""
    found: dict[str, tuple[Voice, ...]] = {}
    for voice in all_voices():
        if bool(voice.held_out) == (split == "eval"):
            found[voice.label] = (*found.get(voice.label, ()), voice)
    return found
