"""The table of voices: what it says of the sound font and of what is held out is true."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stages.demo_data.midi import Note, midi_file
from stages.demo_data.sound_font import KNOWN_SHA256, find_sound_font, render
from stages.demo_data.voices import Voice, all_voices, voices_of

Samples = Callable[[Voice], set[int]]
HELD_OUT = [voice for voice in all_voices() if voice.held_out]


def name_of(voice: Voice) -> str:
    return f"{voice.label}: {voice.preset} {voice.keys[0]}-{voice.keys[-1]}"


def training_voices(label: str) -> tuple[Voice, ...]:
    return voices_of("train")[label]


def test_labels_are_audiosets_in_its_order(shared: Path) -> None:
    with (shared / "data/audioset/class_labels_indices.csv").open(newline="") as file:
        canonical = [row["display_name"] for row in csv.DictReader(file)]
    labels = list(dict.fromkeys(voice.label for voice in all_voices()))
    assert labels == sorted(labels, key=canonical.index)
    assert len(labels) == 61


def test_every_label_has_voices_in_every_split() -> None:
    assert voices_of("train").keys() == voices_of("valid").keys() == voices_of("eval").keys()
    assert not {v for of in voices_of("train").values() for v in of} & set(HELD_OUT)
    assert {v for of in voices_of("eval").values() for v in of} == set(HELD_OUT)


def test_the_sound_font_is_the_one_that_the_table_is_about() -> None:
    assert find_sound_font().sha256 == KNOWN_SHA256


@pytest.mark.parametrize("voice", HELD_OUT, ids=name_of)
def test_what_is_held_out_is_not_in_training(voice: Voice, samples_of: Samples) -> None:
    training = training_voices(voice.label)
    heard = set().union(*map(samples_of, training))
    preset = (voice.bank, voice.program)
    same_preset = [other for other in training if (other.bank, other.program) == preset]
    if voice.held_out == "samples":
        assert not samples_of(voice) & heard
        return
    assert samples_of(voice) & heard  # otherwise the table claims too little
    if voice.held_out == "preset":
        # In a drum kit every key is a preset of its own.
        assert not same_preset or voice.bank == 128
    if voice.held_out in {"preset", "keys"}:
        assert not any(set(voice.keys) & set(other.keys) for other in same_preset)
    if voice.held_out == "tuning":
        assert all(
            other.high_cents < voice.low_cents or voice.high_cents < other.low_cents
            for other in training
        )


def test_nothing_else_is_said_to_be_held_out() -> None:
    assert {voice.held_out for voice in HELD_OUT} == {"samples", "preset", "keys", "tuning"}


def test_every_key_has_a_recording(samples_of: Samples) -> None:
    for voice in all_voices():
        for key in voice.keys:
            one = replace(voice, keys=(key,))
            assert samples_of(one), f"{name_of(voice)} is silent on key {key}"


@pytest.mark.parametrize("voice", all_voices(), ids=name_of)
def test_every_voice_sounds(voice: Voice, sound_font: Path) -> None:
    for key in {voice.keys[0], voice.keys[-1]}:
        for cents in (voice.low_cents, voice.high_cents):
            midi = midi_file(
                [Note(0.0, 0.5, key, 80)],
                bank=voice.bank,
                program=voice.program,
                cents=cents,
                reverb=0,
                seconds=0.5,
            )
            samples, sample_rate = render(sound_font, midi)
            assert len(samples) == pytest.approx(0.5 * sample_rate, rel=0.01)
            assert 1e-3 < np.abs(samples).max() < 1
