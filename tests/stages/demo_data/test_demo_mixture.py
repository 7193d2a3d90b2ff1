"""Levels, noise and length of a mixed clip."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stages.demo_data.midi import Note
from stages.demo_data.mixture import mix
from stages.demo_data.scenes import Part, Scene
from stages.demo_data.voices import Voice, voices_of
from stages.errors import SpaError

RATE = 16000


def part(label: str, level_db: float, start: float, end: float, key: int | None = None) -> Part:
    voice: Voice = voices_of("train")[label][0]
    note = Note(start, end, voice.keys[0] if key is None else key, 100)
    return Part(voice, (note,), cents=0, reverb=0, level_db=level_db)


def mixed(scene: Scene, sound_font: Path, seconds: float = 2.0) -> np.ndarray:
    samples = mix(np.random.default_rng(0), scene, sound_font, seconds, RATE)
    assert samples.dtype == np.int16
    return samples / 32767


def level_db(samples: np.ndarray) -> float:
    """The loudest block of 125 ms, in dB."""
    blocks = samples[: len(samples) // 2000 * 2000].reshape(-1, 2000)
    return float(10 * np.log10(np.mean(blocks**2, axis=1).max()))


def test_levels_are_those_of_the_scene(sound_font: Path) -> None:
    # A whistle in the first half, a hi-hat in the second: each can be measured alone.
    parts = (part("Whistling", -9, 0, 0.6), part("Hi-hat", -3, 1.5, 2.0))
    scene = Scene(parts, snr_db=30, noise_slope=0, peak_dbfs=-6)
    samples = mixed(scene, sound_font)
    first, second = level_db(samples[: RATE * 3 // 4]), level_db(samples[RATE * 3 // 2 :])
    assert second - first == pytest.approx(6, abs=1)
    gap = level_db(samples[int(RATE * 1.2) : int(RATE * 1.45)])
    assert second - gap == pytest.approx(30, abs=1)
    assert np.abs(samples).max() == pytest.approx(10 ** (-6 / 20), abs=1e-4)


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_noise_falls_with_frequency_as_said(slope: float, sound_font: Path) -> None:
    # With the source far below the noise, the noise alone is left.
    scene = Scene((part("Tick", 0, 0, 0.1),), snr_db=-60, noise_slope=slope, peak_dbfs=-1)
    power = np.abs(np.fft.rfft(mixed(scene, sound_font))) ** 2
    frequency = np.arange(len(power))
    bands = [slice(low, low * 2) for low in (100, 200, 400, 800, 1600, 3200, 6400)]
    logs = [np.log2(power[band].mean()) for band in bands]
    octaves = [np.log2(frequency[band].mean()) for band in bands]
    assert np.polyfit(octaves, logs, 1)[0] == pytest.approx(-slope, abs=0.1)


@pytest.mark.parametrize("seconds", [0.5, 1.337, 3.0])
def test_a_clip_has_its_length_and_sounds(seconds: float, sound_font: Path) -> None:
    scene = Scene((part("Flute", 0, 0.1, 5),), snr_db=20, noise_slope=1, peak_dbfs=-1)
    samples = mixed(scene, sound_font, seconds)
    assert samples.shape == (round(seconds * RATE),)
    assert np.abs(samples).max() == pytest.approx(10 ** (-1 / 20), abs=1e-4)


def test_a_silent_source_is_an_error(sound_font: Path) -> None:
    # The preset Whistle has no recording between keys 79 and 101.
    scene = Scene((part("Whistling", 0, 0, 1, key=90),), snr_db=20, noise_slope=1, peak_dbfs=-1)
    with pytest.raises(SpaError, match=r"has no sound for Whistle \(program 78\)"):
        mixed(scene, sound_font)


def test_another_voice_is_another_clip(sound_font: Path) -> None:
    one = Scene((part("Flute", 0, 0, 1),), snr_db=20, noise_slope=1, peak_dbfs=-1)
    other = replace(one, parts=(part("Clarinet", 0, 0, 1),))
    assert not np.array_equal(mixed(one, sound_font), mixed(other, sound_font))
