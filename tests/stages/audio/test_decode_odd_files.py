"""Decoding of other projects' odd and broken files, against independent decoders."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io.wavfile
import soundfile as sf

from stages.audio.decode import SequentialFile, decode_file
from stages.errors import AudioError


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


SCIPY_READS = (
    "test-1234Hz-le-1ch-10S-20bit-extra.wav",
    "test-44100Hz-2ch-32bit-float-be.wav",
    "test-44100Hz-2ch-32bit-float-le.wav",
    "test-44100Hz-be-1ch-4bytes.wav",
    "test-44100Hz-le-1ch-4bytes-rf64.wav",
    "test-44100Hz-le-1ch-4bytes.wav",
    "test-48000Hz-2ch-64bit-float-le-wavex.wav",
    "test-8000Hz-be-3ch-5S-24bit.wav",
    "test-8000Hz-le-2ch-1byteu.wav",
    "test-8000Hz-le-3ch-5S-24bit-rf64.wav",
    "test-8000Hz-le-3ch-5S-24bit.wav",
)


# scipy warns of the chunks that it passes over.
@pytest.mark.filterwarnings("ignore::scipy.io.wavfile.WavFileWarning")
@pytest.mark.parametrize("name", SCIPY_READS)
def test_wav_equals_scipys_reader(shared: Path, name: str) -> None:
    path = shared / "data/stress/scipy_wav/scipy/io/tests/data" / name
    rate, samples = scipy.io.wavfile.read(path)
    samples = samples.reshape(len(samples), -1)
    if samples.dtype == np.uint8:
        samples = (samples.astype(np.float64) - 128) / 128
    elif samples.dtype.kind == "i":
        samples = samples.astype(np.float64) / -float(np.iinfo(samples.dtype).min)
    decoded = decode_file(path, rate, 60)
    assert (decoded.source_sample_rate, decoded.channels) == (rate, samples.shape[1])
    assert decoded.waveform.dtype == np.float32
    np.testing.assert_allclose(decoded.waveform, samples.mean(axis=1), atol=1e-6)


# Files whose decoded samples cannot be told from the MD5 in their header: the header, or the
# stream, contradicts itself. libsndfile decodes them, or says that it cannot.
MISSTATED = {
    "03 - wrong bit depth.flac",
    "05 - wrong total number of samples.flac",
    "07 - other metadata blocks preceding streaminfo metadata block.flac",
    "01 - changing samplerate.flac",
    "04 - changing bitdepth.flac",
}


def test_flac_samples_have_the_md5_of_their_header(shared: Path) -> None:
    """RFC 9639, section 8.2: the last 16 bytes of STREAMINFO are the MD5 of the samples."""
    equal = 0
    for path in sorted((shared / "data/stress").rglob("*.flac")):
        header = path.read_bytes()[:42]
        bits = ((header[20] & 1) << 4 | header[21] >> 4) + 1
        if path.name in MISSTATED or not header.startswith(b"fLaC"):
            continue
        try:
            with SequentialFile(path) as stream:
                blocks = [stream.read(50_000, dtype="int32", always_2d=True) for _ in range(100)]
        except sf.LibsndfileError:
            continue
        samples = (np.concatenate(blocks) >> (32 - bits)).astype("<i4")
        stored = samples.view(np.uint8).reshape(-1, 4)[:, : bits // 8]
        assert hashlib.md5(stored.tobytes(), usedforsecurity=False).digest() == header[26:]
        equal += 1
    assert equal == 49


def test_flac_of_unknown_length_is_read_to_its_end(shared: Path) -> None:
    folder = shared / "data/stress/flac_test_files/subset"
    decoded = decode_file(folder / "45 - no total number of samples set.flac", 48000, 60)
    assert len(decoded.waveform) == 336_410  # its MD5 is proved above


@pytest.mark.parametrize(
    ("name", "rate", "channels", "seconds"),
    [("test-1.mp3", 22050, 1, 15.0), ("test-2.mp3", 44100, 2, 2.0)],  # of the .json beside
)
def test_mp3(shared: Path, name: str, rate: int, channels: int, seconds: float) -> None:
    decoded = decode_file(shared / "data/stress/audioread/test/data" / name, rate, 60)
    assert (decoded.source_sample_rate, decoded.channels) == (rate, channels)
    assert len(decoded.waveform) / rate == pytest.approx(seconds, abs=0.1)


# What of the folder libsndfile 1.2 cannot read, by a part of the name.
UNREADABLE = (
    "04 - wrong number of channels.flac",
    "06 - missing streaminfo",
    "08 - blocksize 65536.flac",
    "11 - incorrect metadata block length.flac",
    "22 - 12 bit per sample.flac",
    "62 - predictor overflow check, 20-bit.flac",
    "02 - increasing number of channels.flac",
    "03 - decreasing number of channels.flac",
    "07 - 15 bit per sample.flac",
    "10 - file starting at frame header.flac",
    "11 - file starting with unparsable data.flac",
    "early-eof-no-data.wav",
    "incomplete-chunk.wav",
    "36bit.wav",
    "45bit.wav",
    "53bit.wav",
    "64bit.wav",
    ".pcm",
    ".raw",
    ".mp4",
    ".json",
    ".txt",
    ".html",
    ".m3u",
    "LICENSE",
)


def test_every_odd_file_is_read_or_named_unreadable(shared: Path) -> None:
    descriptors = open_descriptors()
    readable = 0
    for path in sorted((shared / "data/stress").rglob("*")):
        if path.is_dir():
            continue
        if any(part in path.name for part in UNREADABLE):
            with pytest.raises(AudioError) as raised:
                decode_file(path, 32000, 60)
            assert raised.value.code == "unreadable"
            continue
        decoded = decode_file(path, 32000, 60)
        assert decoded.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert np.isfinite(decoded.waveform).all()
        readable += 1
    assert readable == 82
    assert open_descriptors() == descriptors
