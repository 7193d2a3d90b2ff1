"""Decoding of made signals: mean, resampling, limits, and headers that lie."""

import os
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from stages.audio.decode import decode_audio
from stages.errors import AudioError


def code_of(path: Path, sample_rate: int = 32000, max_seconds: float = 60) -> tuple[str, str]:
    with pytest.raises(AudioError) as raised:
        decode_audio(path, sample_rate, max_seconds)
    return raised.value.code, raised.value.message


def write_pcm16(path: Path, samples: NDArray[np.int16], rate: int) -> None:
    """Write (frames, channels) with Python's own WAV writer."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())


@given(
    arrays(np.int16, st.tuples(st.integers(1, 50), st.integers(1, 6))),
    st.sampled_from([8000, 16000, 44100]),
)
def test_mono_is_the_mean_of_the_channels(
    tmp_path_factory: pytest.TempPathFactory, samples: NDArray[np.int16], rate: int
) -> None:
    path = tmp_path_factory.mktemp("mean") / "a.wav"
    write_pcm16(path, samples, rate)
    waveform = decode_audio(path, rate, 60).waveform
    np.testing.assert_allclose(waveform, samples.mean(axis=1) / 32768, atol=1e-6)


def test_a_file_of_many_blocks_is_whole(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(-32768, 32767, (700_000, 3)).astype(np.int16)
    write_pcm16(tmp_path / "long.wav", samples, 32000)
    waveform = decode_audio(tmp_path / "long.wav", 32000, 60).waveform
    np.testing.assert_allclose(waveform, samples.mean(axis=1) / 32768, atol=1e-6)


@pytest.mark.parametrize("source_rate", [8000, 22050, 44100, 48000, 35467])
def test_a_resampled_tone_is_the_tone(tmp_path: Path, source_rate: int) -> None:
    def tone(rate: int) -> NDArray[np.float64]:
        return 0.5 * np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)

    sf.write(tmp_path / "tone.wav", tone(source_rate), source_rate, subtype="FLOAT")
    decoded = decode_audio(tmp_path / "tone.wav", 32000, 60)
    assert len(decoded.waveform) == 32000
    inner = slice(2000, -2000)  # the edges ring: there is silence before and after
    np.testing.assert_allclose(decoded.waveform[inner], tone(32000)[inner], atol=2e-5)


def test_a_tone_above_the_new_nyquist_frequency_is_gone(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 18_000 * np.arange(44_100) / 44_100)
    sf.write(tmp_path / "tone.wav", tone, 44_100, subtype="FLOAT")
    waveform = decode_audio(tmp_path / "tone.wav", 32000, 60).waveform
    assert np.abs(waveform[2000:-2000]).max() < 1e-4


def test_too_long(tmp_path: Path) -> None:
    write_pcm16(tmp_path / "a.wav", np.zeros((16_001, 1), np.int16), 8000)
    assert code_of(tmp_path / "a.wav", max_seconds=2) == ("too_long", "more than 2 s")
    write_pcm16(tmp_path / "a.wav", np.zeros((16_000, 1), np.int16), 8000)
    assert len(decode_audio(tmp_path / "a.wav", 8000, 2).waveform) == 16_000


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_no_number(tmp_path: Path, value: float) -> None:
    samples = np.zeros((8000, 2), np.float32)
    samples[4000, 1] = value
    sf.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    code, message = code_of(tmp_path / "a.wav")
    assert code == "unreadable"
    assert f"the sample at 0.500 s is {np.float32(value)}" in message


def test_finite_samples_that_overflow_in_resampling(tmp_path: Path) -> None:
    samples = np.full(8000, 3.4e38, np.float32)
    samples[::2] *= -1
    sf.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    assert code_of(tmp_path / "a.wav", sample_rate=96000)[0] == "unreadable"


def test_empty(tmp_path: Path) -> None:
    write_pcm16(tmp_path / "a.wav", np.zeros((0, 1), np.int16), 8000)
    assert code_of(tmp_path / "a.wav") == ("empty", "holds no samples")
    write_pcm16(tmp_path / "b.wav", np.ones((3, 1), np.int16), 96000)
    assert code_of(tmp_path / "b.wav", sample_rate=4000)[0] == "empty"
    (tmp_path / "c.wav").touch()
    assert code_of(tmp_path / "c.wav") == ("empty", "a file of 0 bytes")


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert code_of(tmp_path / "none.wav")[0] == "missing"
    assert code_of(tmp_path)[0] == "unreadable"
    assert code_of(tmp_path / "pipe.wav")[0] == "unreadable"


def test_a_sample_rate_beyond_belief(tmp_path: Path) -> None:
    write_pcm16(tmp_path / "a.wav", np.zeros((10, 1), np.int16), 2_000_000_000)
    code, message = code_of(tmp_path / "a.wav")
    assert code == "unreadable"
    assert "2000000000 Hz" in message


@pytest.mark.parametrize("rate", [1, 7, 767_999])
def test_the_strangest_sample_rates(tmp_path: Path, rate: int) -> None:
    write_pcm16(tmp_path / "a.wav", np.ones((2000, 1), np.int16), rate)
    waveform = decode_audio(tmp_path / "a.wav", 8000, 2000).waveform
    assert len(waveform) == pytest.approx(2000 * 8000 / rate, abs=1)


def test_bytes_are_decoded_as_a_file_is(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (30_000, 2))
    for name in ("a.wav", "a.flac", "a.ogg", "a.mp3", "a.aiff"):
        sf.write(tmp_path / name, noise, 22050)
        of_file = decode_audio(tmp_path / name, 32000, 60)
        of_bytes = decode_audio((tmp_path / name).read_bytes(), 32000, 60)
        np.testing.assert_array_equal(of_file.waveform, of_bytes.waveform)
        assert of_file.source_sha256 == of_bytes.source_sha256
        assert of_file.levels == of_bytes.levels
