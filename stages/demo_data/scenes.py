"""What a clip is made of: which voices, which notes, how loud, under how much noise."""

from dataclasses import dataclass

import numpy as np

from stages.demo_data.midi import Note
from stages.demo_data.voices import Voice, voices_of

SPLITS = ("train", "valid", "eval")

_SOURCE_COUNTS, _SOURCE_COUNT_SHARES = (1, 2, 3), (0.45, 0.35, 0.2)


@dataclass(frozen=True)
class Part:
    """One source of a clip: a voice, what it plays, and its level in dB of the clip's reference."""

    voice: Voice
    notes: tuple[Note, ...]
    cents: float
    reverb: int
    level_db: float


@dataclass(frozen=True)
class Scene:
    """A clip before it is rendered.

    The background noise has a power density proportional to 1 / frequency ** `noise_slope`
    (0: white, 1: pink, 2: brown) and lies `snr_db` below the loudest source. The mixture's largest
    sample is brought to `peak_dbfs`.
    """

    parts: tuple[Part, ...]
    snr_db: float
    noise_slope: float
    peak_dbfs: float


def compose(rng: np.random.Generator, split: str, number: int, seconds: float) -> Scene:
    """Draw clip `number` of a split; the first source takes the labels in turn."""
    voices = voices_of(split)
    labels = list(voices)
    first = labels.pop(number % len(labels))
    others = rng.choice(_SOURCE_COUNTS, p=_SOURCE_COUNT_SHARES) - 1
    chosen = [first, *rng.choice(labels, size=others, replace=False)]
    return Scene(
        parts=tuple(_part(rng, voices[label], seconds) for label in chosen),
        snr_db=rng.uniform(10, 35),
        noise_slope=rng.uniform(0, 2),
        peak_dbfs=rng.uniform(-15, -1),
    )


def _part(rng: np.random.Generator, voices: tuple[Voice, ...], seconds: float) -> Part:
    voice = voices[rng.integers(len(voices))]
    return Part(
        voice=voice,
        notes=tuple(_PLAYING[voice.playing](rng, voice.keys, seconds)),
        cents=rng.uniform(voice.low_cents, voice.high_cents),
        reverb=int(rng.integers(0, 80)),
        level_db=rng.uniform(-10, 0),
    )


def _melody(rng: np.random.Generator, keys: tuple[int, ...], seconds: float) -> list[Note]:
    """One note at a time: steps of up to a few keys of the voice, some rests."""
    return [
        _note(rng, keys[place], start, end) for start, end, place in _walk(rng, len(keys), seconds)
    ]


def _chords(rng: np.random.Generator, keys: tuple[int, ...], seconds: float) -> list[Note]:
    """One to four keys at a time."""
    notes: list[Note] = []
    for start, end, place in _walk(rng, len(keys), seconds):
        offsets = {0, *rng.integers(-12, 13, size=rng.integers(0, 4)).tolist()}
        places = sorted(place + offset for offset in offsets if 0 <= place + offset < len(keys))
        notes += [_note(rng, keys[other], start, end) for other in places]
    return notes


def _strokes(rng: np.random.Generator, keys: tuple[int, ...], seconds: float) -> list[Note]:
    """Strokes on a grid of 0.1 to 0.5 s, some left out, each on any key; at least one."""
    grid = np.arange(rng.uniform(0, 0.25), seconds - 0.25, rng.uniform(0.1, 0.5))
    played = grid[rng.random(len(grid)) < rng.uniform(0.3, 1)]
    starts = played if len(played) else grid[:1]
    return [_note(rng, int(rng.choice(keys)), start, start + 0.5) for start in starts.tolist()]


def _hold(rng: np.random.Generator, keys: tuple[int, ...], seconds: float) -> list[Note]:
    """One note that lasts to the end."""
    return [_note(rng, int(rng.choice(keys)), rng.uniform(0, seconds / 4), seconds)]


_PLAYING = {"melody": _melody, "chords": _chords, "strokes": _strokes, "hold": _hold}


def _walk(rng: np.random.Generator, places: int, seconds: float) -> list[tuple[float, float, int]]:
    """Start, end and place of each note of a random walk over `places` keys; at least one note."""
    beat_seconds = rng.uniform(0.15, 0.8)
    now, place = rng.uniform(0, 0.25), int(rng.integers(places))
    steps: list[tuple[float, float, int]] = []
    while now < seconds - 0.1:
        lasts = beat_seconds * float(rng.choice((0.5, 1, 1, 2)))
        if not steps or rng.random() > 0.15:
            steps.append((now, now + lasts * rng.uniform(0.6, 1), place))
        place = int(np.clip(place + rng.integers(-4, 5), 0, places - 1))
        now += lasts
    return steps


def _note(rng: np.random.Generator, key: int, start: float, end: float) -> Note:
    return Note(start, end, key, velocity=int(rng.integers(50, 121)))
