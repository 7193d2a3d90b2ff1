"""Clips as MP3 in the report, decoded again."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray

from stages.evaluate.report.audio import data_uri, encode_mp3


def sine(seconds: float, rate: int, peak: float = 0.5) -> NDArray[np.float32]:
    return (peak * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(
        np.float32
    )


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 32000, 44100, 48000])
def test_a_clip_sounds_as_it_was(rate: int) -> None:
    heard, found_rate = sf.read(BytesIO(encode_mp3(sine(2.0, rate), rate)))
    assert found_rate == rate
    assert len(heard) == pytest.approx(2 * rate, abs=2500)  # whole MP3 frames
    spectrum = np.abs(np.fft.rfft(heard))
    assert np.argmax(spectrum) * rate / len(heard) == pytest.approx(440, abs=1)
    assert np.abs(heard[rate // 2 : rate]).max() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("rate", "raised"), [(10000, 11025), (30000, 32000), (96000, 48000)])
def test_a_rate_that_mp3_does_not_have_is_changed_and_the_pitch_is_not(
    rate: int, raised: int
) -> None:
    heard, found_rate = sf.read(BytesIO(encode_mp3(sine(1.0, rate), rate)))
    assert found_rate == raised
    assert np.argmax(np.abs(np.fft.rfft(heard))) * raised / len(heard) == pytest.approx(440, abs=2)


def test_ten_seconds_of_noise_at_most_and_small() -> None:
    noise = 0.3 * np.random.default_rng(0).standard_normal(15 * 32000).astype(np.float32)
    mp3 = encode_mp3(noise, 32000)
    assert len(mp3) < 90_000
    assert sf.info(BytesIO(mp3)).duration == pytest.approx(10, abs=0.1)


def test_loud_clips_are_not_clipped() -> None:
    square = np.sign(sine(1.0, 32000)) * np.float32(1.5)
    heard, _ = sf.read(BytesIO(encode_mp3(square, 32000)))
    quiet, _ = sf.read(BytesIO(encode_mp3(square * np.float32(0.6), 32000)))
    np.testing.assert_allclose(heard, quiet, atol=1e-4)  # a peak of 0.9 either way


@pytest.mark.parametrize("samples", [1, 100])
def test_a_very_short_clip_is_still_a_clip(samples: int) -> None:
    assert sf.info(BytesIO(encode_mp3(np.ones(samples, dtype=np.float32), 32000))).frames >= samples


def test_silence_stays_silent_and_the_same_clip_gives_the_same_bytes() -> None:
    silence = np.zeros(16000, dtype=np.float32)
    assert not sf.read(BytesIO(encode_mp3(silence, 32000)))[0].any()
    assert encode_mp3(sine(1.0, 32000), 32000) == encode_mp3(sine(1.0, 32000), 32000)


def test_the_address_of_an_audio_element_holds_the_clip() -> None:
    address = data_uri(b"\xff\xfb\x00")
    assert address.startswith("data:audio/mpeg;base64,")
    assert b64decode(address.partition(",")[2]) == b"\xff\xfb\x00"
