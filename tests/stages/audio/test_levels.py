"""Levels of signals whose levels are known."""

import io

import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray

from stages.audio.decode import Cut, decode_audio
from stages.audio.levels import Levels


def levels(samples: NDArray[np.float64], subtype: str = "FLOAT", **options: object) -> Levels:
    file = io.BytesIO()
    sf.write(file, samples, 8000, format="WAV", subtype=subtype)
    cut = options.get("cut")
    rate = options.get("rate", 8000)
    assert cut is None or isinstance(cut, Cut)
    assert isinstance(rate, int)
    return decode_audio(file.getvalue(), rate, 60, cut).levels


def test_a_sine_has_its_peak_and_three_decibels_less() -> None:
    sine = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)
    found = levels(sine)
    assert found.peak_dbfs == pytest.approx(-6.0206, abs=1e-3)
    assert found.rms_dbfs == pytest.approx(-6.0206 - 3.0103, abs=1e-3)
    assert found.dc_offset == pytest.approx(0, abs=1e-6)
    assert found.clipped_share == 0


def test_silence_has_no_level() -> None:
    assert levels(np.zeros(100)) == Levels(None, None, 0.0, 0.0)


def test_the_offset_is_the_sources_and_not_the_resampled_ones() -> None:
    found = levels(np.full(800, 0.25), rate=16000)
    assert found.dc_offset == 0.25


def test_clipping_is_counted_before_resampling() -> None:
    square = np.where(np.arange(8000) % 80 < 40, 1.0, -1.0)
    square[:2000] = 0.0
    assert levels(square, "PCM_16", rate=4000).clipped_share == 0.75
    assert levels(square, "FLOAT", rate=4000).clipped_share == 0.75


@pytest.mark.parametrize(
    ("value", "subtype", "clipped"),
    [
        (1.0, "PCM_16", True),  # stored as 32767
        (-1.0, "PCM_16", True),
        (32766 / 32768, "PCM_16", False),
        (-32767 / 32768, "FLOAT", True),
        (1.5, "FLOAT", True),
        (1.0, "PCM_24", True),
        (1.0, "PCM_U8", False),  # stored as 127 of 128
        (-1.0, "PCM_U8", True),
    ],
)
def test_what_counts_as_clipped(value: float, subtype: str, *, clipped: bool) -> None:
    samples = np.zeros(10)
    samples[3] = value
    assert levels(samples, subtype).clipped_share == (0.1 if clipped else 0)


def test_levels_are_those_of_the_cut() -> None:
    samples = np.concatenate([np.ones(8000), np.full(8000, 0.125)])
    found = levels(samples, cut=Cut(1.0, 2.0))
    assert found.dc_offset == 0.125
    assert found.clipped_share == 0
    assert found.peak_dbfs == pytest.approx(-18.0618, abs=1e-3)
