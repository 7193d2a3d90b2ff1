"""Decoding of other projects' odd and broken files, against independent decoders.

The decoders are called here directly and give all channels: PyAV, soundfile and scipy. A FLAC file's
STREAMINFO holds the MD5 of its samples (RFC 9639, section 8.2), which tells which of them is right.
"""

import hashlib
import warnings
from collections import Counter
from itertools import chain
from pathlib import Path

import av
import numpy as np
import pytest
import scipy.io.wavfile
import soundfile as sf
import soxr
from numpy.typing import NDArray

from stages.audio.decode import decode_audio
from stages.audio.libsndfile import SequentialFile
from stages.errors import AudioError

Samples = NDArray[np.float64]  # (samples, channels)


def stress_files(shared: Path, suffix: str = "") -> list[Path]:
    paths = sorted((shared / "data/stress").rglob(f"*{suffix}"))
    return [path for path in paths if path.is_file()]


def by_pyav(path: Path) -> list[tuple[NDArray[np.float64], int]]:
    """Samples (samples, channels) and rate of each piece of equal rate and channels."""
    pieces: list[tuple[list[NDArray[np.float64]], int]] = []
    with path.open("rb") as file, av.open(file, "r", metadata_errors="ignore") as container:
        for frame in container.decode(container.streams.audio[0]):
            samples = frame.to_ndarray()
            channels = frame.layout.nb_channels
            samples = samples.T if frame.format.is_planar else samples.reshape(-1, channels)
            scaled = samples.astype(np.float64)
            if samples.dtype == np.uint8:
                scaled = (scaled - 128) / 128
            elif samples.dtype.kind == "i":
                scaled /= -float(np.iinfo(samples.dtype).min)
            if (
                not pieces
                or pieces[-1][1] != frame.sample_rate
                or pieces[-1][0][0].shape[1] != channels
            ):
                pieces.append(([], frame.sample_rate))
            pieces[-1][0].append(scaled)
    return [(np.concatenate(samples), rate) for samples, rate in pieces]


def by_soundfile(path: Path) -> Samples:
    with SequentialFile(path) as file:
        found = [np.zeros((0, file.channels))]
        while len(block := file.read(50_000, dtype="float64", always_2d=True)):
            found.append(block)
        return np.concatenate(found)


def md5_of_header(flac: bytes) -> bytes | None:
    """The MD5 in STREAMINFO, wherever among the metadata it is; None if it was left open."""
    offset = 4
    while flac.startswith(b"fLaC") and offset < len(flac):
        if flac[offset] & 0x7F == 0:
            found = flac[offset + 22 : offset + 38]
            return found if any(found) else None
        offset += 4 + int.from_bytes(flac[offset + 1 : offset + 4], "big")
    return None


def has_md5(samples: Samples, md5: bytes) -> bool:
    for bits in (8, 12, 15, 16, 20, 24):
        stored_bytes = (bits + 7) // 8
        values = np.rint(samples * 2 ** (bits - 1)).astype("<i4")
        stored = values.reshape(-1).view(np.uint8).reshape(-1, 4)[:, :stored_bytes]
        if hashlib.md5(stored.tobytes(), usedforsecurity=False).digest() == md5:
            return True
    return False


def proven_samples(path: Path, md5: bytes) -> Samples | None:
    """The samples of the decoder that the MD5 proves right."""
    for read in (by_soundfile, lambda path: by_pyav(path)[0][0]):
        try:
            samples = read(path)
        except (sf.LibsndfileError, av.FFmpegError, IndexError):
            continue
        if has_md5(samples, md5):
            return samples
    return None


def rate_of(path: Path) -> int:
    """The file's rate, as we tell it: with it nothing is resampled."""
    return decode_audio(path, 32000, 600).source_sample_rate


def test_flac_is_what_its_md5_says(shared: Path) -> None:
    """All FLAC files that any decoder gets right, we get right; none is named truncated."""
    proven = 0
    for path in stress_files(shared, ".flac"):
        md5 = md5_of_header(path.read_bytes())
        samples = proven_samples(path, md5) if md5 else None
        if samples is None:
            continue
        decoded = decode_audio(path, rate_of(path), 600)
        assert decoded.channels == samples.shape[1], path
        np.testing.assert_allclose(
            decoded.waveform, samples.mean(axis=1), atol=1e-6, err_msg=str(path)
        )
        proven += 1
    assert proven >= 55


# Numbers of samples of the pieces: the frames' block sizes, summed.
@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("01 - changing samplerate", [163_840, 114_688, 77_824, 199_395]),
        ("02 - increasing number of channels", [147_456, 163_840, 327_560]),
        ("03 - decreasing number of channels", [180_224, 73_728, 121_274]),
        ("10 - file starting at frame header", [664_669]),
    ],
)
def test_flac_that_changes_in_the_middle(shared: Path, name: str, pieces: list[int]) -> None:
    path = shared / "data/stress/flac_test_files/uncommon" / f"{name}.flac"
    found = by_pyav(path)
    assert [len(samples) for samples, _ in found] == pieces
    rates = [rate for _, rate in found]
    runs = [samples.mean(axis=1) for samples, _ in found]
    if len(set(rates)) == 1:
        runs, rates = [np.concatenate(runs)], rates[:1]
    expected = np.concatenate(
        [
            soxr.resample(run.astype(np.float32), rate, 32000, quality="HQ")
            if rate != 32000
            else run
            for run, rate in zip(runs, rates, strict=True)
        ]
    )
    decoded = decode_audio(path, 32000, 600)
    assert decoded.source_sample_rate == rates[0]
    np.testing.assert_allclose(decoded.waveform, expected, atol=1e-6)


def test_flac_whose_bit_depth_changes_is_of_one_loudness(shared: Path) -> None:
    """16, 8 and 24 bits: read with a wrong depth a piece is 48 dB too soft, or wraps around."""
    path = shared / "data/stress/flac_test_files/uncommon/04 - changing bitdepth.flac"
    waveform = decode_audio(path, 44100, 600).waveform
    assert len(waveform) == 495_232
    loudness = [np.sqrt(np.mean(piece**2)) for piece in np.array_split(waveform, 3)]
    assert 0.05 < min(loudness) <= max(loudness) < 0.2


def test_flac_with_a_wrong_header_is_read_by_its_frames(shared: Path) -> None:
    folder = shared / "data/stress/flac_test_files/faulty"
    (wrong_total,) = folder.glob("05*")
    assert len(decode_audio(wrong_total, 24000, 600).waveform) == 109_487  # README; stated: 39,842
    (wrong_bits,) = folder.glob("03*")
    assert 0.05 < np.abs(decode_audio(wrong_bits, 24000, 600).waveform).max() <= 1
    (wrong_channels,) = folder.glob("04*")
    assert decode_audio(wrong_channels, 24000, 600).channels == 1


def scipy_samples(path: Path) -> Samples:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", scipy.io.wavfile.WavFileWarning)
        _, samples = scipy.io.wavfile.read(path)
    samples = samples.reshape(len(samples), -1)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float64) - 128) / 128
    if samples.dtype.kind == "i":
        return samples.astype(np.float64) / -float(np.iinfo(samples.dtype).min)
    return samples.astype(np.float64)


def test_wav_equals_other_readers(shared: Path) -> None:
    """Every WAV file that we read is what scipy reads, or else what FFmpeg does."""
    compared: Counter[str] = Counter()
    for path in stress_files(shared, ".wav"):
        try:
            decoded = decode_audio(path, rate_of(path), 600)
        except AudioError:
            continue
        try:
            samples, reader = scipy_samples(path), "scipy"
        except ValueError:
            samples, reader = by_pyav(path)[0][0], "PyAV"
        assert decoded.channels == samples.shape[1]
        np.testing.assert_allclose(
            decoded.waveform, samples.mean(axis=1), atol=1e-6, err_msg=str(path)
        )
        compared[reader] += 1
    assert compared["scipy"] >= 18
    assert compared["PyAV"] >= 1


@pytest.mark.parametrize("suffix", [".mp3", ".mp4", ".bit"])
def test_other_formats_equal_an_independent_decoder(shared: Path, suffix: str) -> None:
    """MP3 against libsndfile's mpg123; MP4 and MPEG layer I against FFmpeg called directly."""
    for path in stress_files(shared, suffix):
        samples = by_soundfile(path) if suffix == ".mp3" else by_pyav(path)[0][0]
        decoded = decode_audio(path, rate_of(path), 600)
        assert decoded.channels == samples.shape[1]
        np.testing.assert_allclose(decoded.waveform, samples.mean(axis=1), atol=1e-5)


def test_ogg_is_as_long_as_what_it_was_made_of(shared: Path) -> None:
    """FFmpeg would give 128 samples fewer: the first block's, which libvorbis keeps."""
    folder = shared / "data/stress/tensorflow_io/tests/test_audio"
    vorbis = decode_audio(folder / "ZASFX_ADSR_no_sustain.ogg", 44100, 60).waveform
    flac = decode_audio(folder / "ZASFX_ADSR_no_sustain.flac", 44100, 60).waveform
    assert len(vorbis) == len(flac) == 14_336
    np.testing.assert_allclose(vorbis, flac, atol=0.03)


# What of the folder cannot be read, by a part of the name; the rest must be.
NOT_READ = {
    "unreadable": (
        "06 - missing streaminfo",
        "08 - blocksize 65536.flac",  # not allowed by the format
        "11 - incorrect metadata block length.flac",
        "11 - file starting with unparsable data.flac",
        "36bit.wav",
        "45bit.wav",
        "53bit.wav",
        "64bit.wav",
        ".pcm",
        ".raw",
        ".json",
        ".txt",
        ".html",
        ".m3u",
        "LICENSE",
    ),
    "truncated": ("4bytes-early-eof.wav", "early-eof-no-data.wav", "incomplete-chunk.wav"),
}


def test_every_odd_file_is_read_or_named(shared: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def open_descriptors() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    descriptors = open_descriptors()
    answers: Counter[str] = Counter()
    for path in stress_files(shared):
        expected = [
            code for code, parts in NOT_READ.items() if any(part in path.name for part in parts)
        ]
        if expected:
            with pytest.raises(AudioError) as raised:
                decode_audio(path, 32000, 600)
            assert [raised.value.code] == expected, path
            answers[raised.value.code] += 1
            continue
        decoded = decode_audio(path, 32000, 600)
        assert decoded.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert np.isfinite(decoded.waveform).all()
        answers["read"] += 1
    assert answers == {"read": 89, "unreadable": 26, "truncated": 3}
    assert open_descriptors() == descriptors
    assert capfd.readouterr() == ("", "")


def test_good_files_are_never_refused(shared: Path) -> None:
    """Every eighth of the real clips, two hundred and more."""
    data = shared / "data"
    paths = sorted(chain((data / "esc10").rglob("*.ogg"), (data / "urbansound8k").rglob("*.ogg")))
    for path in paths[::8]:
        samples, rate = sf.read(path, dtype="float32", always_2d=True)
        waveform = decode_audio(path, rate, 60).waveform
        np.testing.assert_allclose(waveform, samples.mean(axis=1), atol=1e-6)
