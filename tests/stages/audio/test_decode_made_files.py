"""Formats that are made on the spot, of a signal with a formula, by FFmpeg's and libsndfile's encoders."""

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray

from stages.audio.decode import Cut, decode_audio
from stages.errors import AudioError

SECONDS = 2.0
Stereo = NDArray[np.float32]  # (2, samples)


def signal(rate: int) -> Stereo:
    """Left 440 Hz, right 880 Hz, both 0.4 sin(2 pi f t) (0.6 + 0.4 sin(2 pi t)): no delay hides in it."""
    t = np.arange(int(SECONDS * rate)) / rate
    swell = 0.4 * (0.6 + 0.4 * np.sin(2 * np.pi * t))
    return np.stack([swell * np.sin(2 * np.pi * hz * t) for hz in (440, 880)]).astype(np.float32)


def by_ffmpeg(container: str, codec: str, rate: int = 44100, video: str | None = None) -> bytes:
    """The signal, encoded; `video` adds a stream of ten grey pictures a second before it."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        pictures = output.add_stream(video, rate=10) if video else None
        stream = output.add_stream(codec, rate=rate)
        stream.layout = "stereo"
        stream.bit_rate = 128_000
        if pictures is not None:
            pictures.width = pictures.height = 64
            pictures.pix_fmt = "yuv420p"
            for index in range(int(SECONDS * 10)):
                grey = np.full((64, 64, 3), 10 * index, np.uint8)
                picture = av.VideoFrame.from_ndarray(grey, format="rgb24")
                picture.pts, picture.time_base = index, Fraction(1, 10)
                output.mux(pictures.encode(picture))
            output.mux(pictures.encode(None))
        samples = signal(rate)
        for start in range(0, samples.shape[1], 1024):
            block = np.ascontiguousarray(samples[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            frame.rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


def by_libsndfile(container: str, subtype: str, rate: int = 44100, endian: str = "FILE") -> bytes:
    file = io.BytesIO()
    sf.write(file, signal(rate).T, rate, format=container, subtype=subtype, endian=endian)
    return file.getvalue()


# container, encoder, rate in Hz; samples of delay before the signal that the container does not
# tell of; the largest error, which is what the encoder loses.
FFMPEG_MADE = [
    ("mp4", "aac", 44100, 0, 0.1),
    ("ipod", "aac", 48000, 0, 0.1),
    ("ipod", "alac", 44100, 0, 1e-4),
    ("mp4", "flac", 44100, 0, 1e-4),
    ("mov", "pcm_s16le", 44100, 0, 1e-4),
    ("webm", "libopus", 48000, 0, 0.02),
    ("matroska", "flac", 44100, 0, 1e-4),
    ("matroska", "aac", 44100, 0, 0.1),
    ("asf", "wmav2", 44100, None, 0.05),
    ("asf", "wmav1", 44100, None, 0.05),
    ("mp3", "libmp3lame", 44100, 0, 0.05),
    ("adts", "aac", 44100, 1024, 0.1),
    ("mpegts", "aac", 44100, 1024, 0.1),
    ("flv", "aac", 44100, 1024, 0.1),
    ("avi", "ac3", 48000, 256, 0.05),
    ("mp2", "mp2", 44100, 481, 0.05),
    ("wv", "wavpack", 44100, 0, 0.01),
    ("tta", "tta", 44100, 0, 0.01),
    ("ogg", "libopus", 48000, 0, 0.02),
    ("ogg", "flac", 44100, 0, 1e-4),
    ("wav", "adpcm_ms", 44100, 0, 0.02),
    ("wav", "adpcm_ima_wav", 44100, 0, 0.05),
    ("w64", "pcm_s24le", 44100, 0, 1e-6),
]


@pytest.mark.parametrize(("container", "codec", "rate", "delay", "error"), FFMPEG_MADE)
def test_what_ffmpeg_makes(
    container: str, codec: str, rate: int, delay: int | None, error: float
) -> None:
    decoded = decode_audio(by_ffmpeg(container, codec, rate), rate, 60)
    mono = signal(rate).mean(axis=0)
    assert (decoded.source_sample_rate, decoded.channels) == (rate, 2)
    if delay is None:
        delay = best_delay(decoded.waveform, mono)
        assert delay <= 4096
    waveform = decoded.waveform[delay : delay + len(mono)]
    assert len(mono) - 2048 <= len(waveform)
    assert len(decoded.waveform) <= len(mono) + delay + 2048  # a frame or two to fill up
    inner = slice(2048, len(waveform) - 2048)
    assert np.abs(waveform[inner] - mono[: len(waveform)][inner]).max() < error


def best_delay(waveform: NDArray[np.float32], mono: NDArray[np.float32]) -> int:
    size = 2 * len(waveform)
    correlation = np.fft.irfft(np.fft.rfft(waveform, size) * np.conj(np.fft.rfft(mono, size)))
    return int(np.argmax(correlation[:8192]))


LIBSNDFILE_MADE = [
    ("WAV", "PCM_U8", "FILE", 1 / 127),
    ("WAV", "PCM_16", "FILE", 1 / 32767),
    ("WAV", "PCM_24", "FILE", 1e-6),
    ("WAV", "PCM_32", "FILE", 1e-6),
    ("WAV", "FLOAT", "FILE", 1e-6),
    ("WAV", "DOUBLE", "FILE", 1e-6),
    ("WAV", "ALAW", "FILE", 0.03),
    ("WAV", "ULAW", "FILE", 0.03),
    ("WAV", "PCM_16", "BIG", 1 / 32767),
    ("WAVEX", "PCM_24", "FILE", 1e-6),
    ("RF64", "PCM_16", "FILE", 1 / 32767),
    ("W64", "PCM_16", "FILE", 1 / 32767),
    ("AIFF", "PCM_S8", "FILE", 1 / 127),
    ("AIFF", "PCM_16", "FILE", 1 / 32767),
    ("AIFF", "PCM_24", "FILE", 1e-6),
    ("AIFF", "FLOAT", "FILE", 1e-6),
    ("AU", "PCM_16", "FILE", 1 / 32767),
    ("CAF", "PCM_16", "FILE", 1 / 32767),
    ("VOC", "PCM_16", "FILE", 1 / 32767),
    ("NIST", "PCM_16", "FILE", 1 / 32767),
    ("FLAC", "PCM_S8", "FILE", 1 / 127),
    ("FLAC", "PCM_16", "FILE", 1 / 32767),
    ("FLAC", "PCM_24", "FILE", 1e-6),
    ("OGG", "VORBIS", "FILE", 0.05),
    ("OGG", "OPUS", "FILE", 0.05),
    ("MP3", "MPEG_LAYER_III", "FILE", 0.05),
]


@pytest.mark.parametrize(("container", "subtype", "endian", "error"), LIBSNDFILE_MADE)
def test_what_libsndfile_makes(container: str, subtype: str, endian: str, error: float) -> None:
    rate = 48000
    decoded = decode_audio(by_libsndfile(container, subtype, rate, endian), rate, 60)
    mono = signal(rate).mean(axis=0)
    assert len(decoded.waveform) == len(mono)
    assert np.abs(decoded.waveform - mono)[2048:-2048].max() < error


@pytest.mark.parametrize(
    ("container", "codec", "rate", "video"),
    [
        ("mp4", "aac", 44100, "mpeg4"),
        ("mp4", "aac", 44100, "libx264"),
        ("webm", "libopus", 48000, "libvpx"),
        ("matroska", "flac", 44100, "libx264"),
        ("avi", "ac3", 48000, "mpeg4"),
    ],
)
def test_the_sound_of_a_video(container: str, codec: str, rate: int, video: str) -> None:
    with_pictures = decode_audio(by_ffmpeg(container, codec, rate, video), rate, 60)
    alone = decode_audio(by_ffmpeg(container, codec, rate), rate, 60)
    np.testing.assert_array_equal(with_pictures.waveform, alone.waveform)


def test_a_video_without_sound(tmp_path: Path) -> None:
    with av.open(tmp_path / "a.mp4", "w") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            output.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        output.mux(stream.encode(None))
    with pytest.raises(AudioError, match="holds no audio") as raised:
        decode_audio(tmp_path / "a.mp4", 32000, 60)
    assert raised.value.code == "unreadable"


@pytest.mark.parametrize(
    ("container", "codec", "rate"),
    [("mp4", "aac", 44100), ("webm", "libopus", 48000), ("mp3", "libmp3lame", 44100)],
)
def test_a_cut_is_a_slice_of_what_ffmpeg_decodes(container: str, codec: str, rate: int) -> None:
    encoded = by_ffmpeg(container, codec, rate)
    whole = decode_audio(encoded, rate, 60).waveform
    part = decode_audio(encoded, rate, 60, Cut(0.61, 1.37)).waveform
    np.testing.assert_array_equal(part, whole[round(0.61 * rate) : round(1.37 * rate)])


def test_names_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(by_ffmpeg("mp4", "aac"))
    (tmp_path / "concat:b.mp3").write_bytes(by_libsndfile("FLAC", "PCM_16"))
    assert decode_audio(tmp_path / "a.wav", 44100, 60).source_sample_rate == 44100
    assert len(decode_audio(tmp_path / "concat:b.mp3", 44100, 60).waveform) == 88_200


def test_id3_tags_before_the_audio() -> None:
    picture = 70_000
    tag = (
        b"ID3\x04\0\0"
        + bytes([0, picture >> 14, picture >> 7 & 127, picture & 127])
        + bytes(picture)
    )
    for plain in (by_libsndfile("MP3", "MPEG_LAYER_III"), by_libsndfile("FLAC", "PCM_16")):
        np.testing.assert_array_equal(
            decode_audio(tag + plain, 44100, 60).waveform, decode_audio(plain, 44100, 60).waveform
        )
