"""Resampling keeps what both rates can hold, where it is, and takes out the rest."""

import numpy as np
import pytest
from numpy.typing import NDArray

from stages.audio.resample import resample

RATES = [(32000, 16000), (16000, 32000), (44100, 32000), (22050, 32000), (48000, 16000)]


def sine(pitch_hz: float, rate: int) -> NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * pitch_hz * np.arange(rate) / rate)).astype(np.float32)


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_a_tone_is_the_same_tone_at_the_same_time(from_hz: int, to_hz: int) -> None:
    found = resample(sine(1000, from_hz), from_hz, to_hz)
    assert found.dtype == np.float32
    assert len(found) == pytest.approx(to_hz, abs=1)
    middle = slice(to_hz // 10, -to_hz // 10)  # the filter rings where the tone begins and ends
    np.testing.assert_allclose(found[middle], sine(1000, to_hz)[: len(found)][middle], atol=1e-4)


def test_what_the_lower_rate_cannot_hold_is_taken_out() -> None:
    found = resample(sine(9000, 32000), 32000, 16000)
    assert np.abs(found[1600:-1600]).max() < 1e-4


def test_the_same_rate_changes_nothing() -> None:
    waveform = sine(440, 8000)
    np.testing.assert_array_equal(resample(waveform, 8000, 8000), waveform)


@pytest.mark.parametrize("samples", [0, 1, 2])
def test_next_to_nothing(samples: int) -> None:
    assert len(resample(np.zeros(samples, np.float32), 44100, 16000)) <= 1
