"""From a scene to samples."""

from pathlib import Path

import numpy as np
import soxr

from stages.demo_data.midi import midi_file
from stages.demo_data.scenes import Part, Scene
from stages.demo_data.sound_font import render
from stages.errors import SpaError

_BLOCK_SECONDS = 0.125
_SILENCE_RMS = 1e-4


def mix(
    rng: np.random.Generator, scene: Scene, sound_font: Path, seconds: float, sample_rate: int
) -> np.ndarray:
    """Render a scene: int16 samples `(seconds * sample_rate,)`, mono.

    The level of a signal is the root mean square of its loudest block of 125 ms. Each source is
    brought to its `level_db`, the noise to `snr_db` below the loudest source, and their sum to the
    scene's `peak_dbfs`, so nothing clips.

    Raises:
        SpaError: a source is silent: another sound font than the table of voices was made for.
    """
    length = round(seconds * sample_rate)
    sources = [_source(part, sound_font, seconds, sample_rate)[:length] for part in scene.parts]
    mixed = np.zeros(length)
    for source in sources:
        mixed[: len(source)] += source
    loudest_db = max(part.level_db for part in scene.parts)
    noise = _noise(rng, length, scene.noise_slope)
    mixed += noise * _amplitude(loudest_db - scene.snr_db) / _level(noise, sample_rate)
    mixed *= _amplitude(scene.peak_dbfs) / np.abs(mixed).max()
    return np.round(mixed * 32767).astype(np.int16)


def _source(part: Part, sound_font: Path, seconds: float, sample_rate: int) -> np.ndarray:
    voice = part.voice
    midi = midi_file(
        part.notes,
        bank=voice.bank,
        program=voice.program,
        cents=part.cents,
        reverb=part.reverb,
        seconds=seconds,
    )
    samples, rendered_rate = render(sound_font, midi)
    if _level(samples, rendered_rate) < _SILENCE_RMS:
        raise SpaError(f"{sound_font} has no sound for {voice.preset} (program {voice.program})")
    resampled: np.ndarray = soxr.resample(samples, rendered_rate, sample_rate)
    # A source may lie above half the sample rate: what is then left of it stays quiet.
    level = max(_level(resampled, sample_rate), _SILENCE_RMS)
    return resampled * (_amplitude(part.level_db) / level)


def _level(samples: np.ndarray, sample_rate: int) -> float:
    """Root mean square of the loudest block of 125 ms."""
    block = round(_BLOCK_SECONDS * sample_rate)
    padded = np.pad(samples, (0, -len(samples) % block)).reshape(-1, block)
    return float(np.sqrt(np.mean(np.square(padded), axis=1).max()))


def _noise(rng: np.random.Generator, length: int, slope: float) -> np.ndarray:
    """Gaussian noise whose power density falls as 1 / frequency ** slope."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    spectrum[0] = 0
    spectrum[1:] *= np.arange(1, len(spectrum), dtype=float) ** (-slope / 2)
    return np.fft.irfft(spectrum, length)


def _amplitude(decibels: float) -> float:
    return float(10 ** (decibels / 20))
