"""Files cut short, damaged, headers that lie, and what is no audio at all."""

import io
import struct
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.audio.decode import Cut, decode_audio
from stages.errors import AudioError

RATE = 48000


def noise() -> NDArray[np.int16]:
    """2 s, two channels, which no encoder makes smaller than a few frames."""
    return np.random.default_rng(0).integers(-8000, 8000, (2 * RATE, 2)).astype(np.int16)


def by_libsndfile(container: str, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    sf.write(file, noise(), RATE, format=container, subtype=subtype)
    return file.getvalue()


def by_ffmpeg(container: str, codec: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=RATE)
        stream.layout = "stereo"
        stream.bit_rate = 128_000
        samples = (noise().T / 32768).astype(np.float32)
        for start in range(0, samples.shape[1], 1024):
            block = np.ascontiguousarray(samples[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            frame.rate, frame.pts = RATE, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file.getvalue()


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return {
        "wav": by_libsndfile("WAV"),
        "float": by_libsndfile("WAVEX", "FLOAT"),
        "rf64": by_libsndfile("RF64"),
        "aiff": by_libsndfile("AIFF"),
        "flac": by_libsndfile("FLAC"),
        "flac24": by_libsndfile("FLAC", "PCM_24"),
        "vorbis": by_libsndfile("OGG", "VORBIS"),
        "opus": by_libsndfile("OGG", "OPUS"),
        "mp3": by_libsndfile("MP3"),
        "au": by_libsndfile("AU"),
        "caf": by_libsndfile("CAF"),
        "mp4": by_ffmpeg("mp4", "aac"),
        "webm": by_ffmpeg("webm", "libopus"),
        "mkv": by_ffmpeg("matroska", "flac"),
        "asf": by_ffmpeg("asf", "wmav2"),
        "adts": by_ffmpeg("adts", "aac"),
        "mpegts": by_ffmpeg("mpegts", "aac"),
        "flv": by_ffmpeg("flv", "aac"),
        "avi": by_ffmpeg("avi", "ac3"),
        "tta": by_ffmpeg("tta", "tta"),
        "wavpack": by_ffmpeg("wv", "wavpack"),
    }


STATES_ITS_LENGTH = (
    "wav", "float", "rf64", "aiff", "flac", "flac24", "vorbis", "opus", "mp4", "webm", "mkv", "asf",
    "avi",
)  # fmt: skip
STATES_NONE = ("mp3", "au", "caf", "adts", "mpegts", "flv", "tta", "wavpack")


def outcome_of(source: bytes) -> NDArray[np.float32] | AudioError:
    try:
        return decode_audio(source, RATE, 60).waveform
    except AudioError as error:
        return error


def code_of(source: bytes | Path, cut: Cut | None = None) -> str:
    with pytest.raises(AudioError) as raised:
        decode_audio(source, RATE, 60, cut)
    return raised.value.code


@pytest.mark.parametrize("name", STATES_ITS_LENGTH)
def test_a_file_cut_short_is_truncated(made: dict[str, bytes], name: str) -> None:
    whole = made[name]
    assert decode_audio(whole, RATE, 60).waveform.shape[0] > 1.9 * RATE
    cuts = np.random.default_rng(1).integers(100, len(whole), 25)
    for size in [*cuts.tolist(), len(whole) - 8]:
        assert code_of(whole[:size]) == "truncated", size
        assert code_of(whole[:size], Cut(0.0, 0.01)) == "truncated", size


@pytest.mark.parametrize("name", STATES_NONE)
def test_what_is_left_of_others_is_a_prefix_or_named(made: dict[str, bytes], name: str) -> None:
    whole = made[name]
    waveform = decode_audio(whole, RATE, 60).waveform
    cuts = np.random.default_rng(1).integers(0, len(whole), 25)
    for size in [*cuts.tolist(), len(whole) - 1]:
        outcome = outcome_of(whole[:size])
        if isinstance(outcome, AudioError):
            assert outcome.code in {"truncated", "unreadable", "empty"}
        else:
            assert len(outcome) <= len(waveform)
            np.testing.assert_allclose(outcome, waveform[: len(outcome)], atol=1e-5)


def test_an_mp3_that_states_its_bytes_is_truncated(made: dict[str, bytes]) -> None:
    assert code_of(made["mp3"][: len(made["mp3"]) // 2]) == "truncated"


@pytest.mark.parametrize("name", ["flac", "flac24", "vorbis", "opus", "mkv"])
def test_a_damaged_file_with_checksums_is_unreadable(made: dict[str, bytes], name: str) -> None:
    whole = made[name]
    places = np.random.default_rng(2).integers(len(whole) // 10, len(whole) - 20_000, 12)
    for place in places.tolist():
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        assert code_of(bytes(damaged)) == "unreadable", place


def test_how_much_is_left_is_said() -> None:
    file = io.BytesIO()
    sf.write(file, np.zeros(80_000), 8000, format="WAV", subtype="PCM_16")
    with pytest.raises(AudioError, match=r"holds 0\.52 s of the 10\.00 s that its header states"):
        decode_audio(file.getvalue()[: 44 + 2 * 4160], 8000, 60)
    file = io.BytesIO()
    sf.write(file, np.random.default_rng(0).uniform(-1, 1, 80_000), 8000, format="FLAC")
    with pytest.raises(AudioError, match=r"s of the 10\.00 s that its header states"):
        decode_audio(file.getvalue()[:40_000], 8000, 60)


@pytest.mark.parametrize("outer", [0, 36, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("inner", [0, 0x7FFFFFFF, 0x7FFFFFFF - 36, 0x80000000, 0xFFFFFFFF])
def test_a_wav_stream_of_unknown_length_is_whole(
    made: dict[str, bytes], outer: int, inner: int
) -> None:
    stream = bytearray(made["wav"])
    stream[4:8], stream[40:44] = struct.pack("<I", outer), struct.pack("<I", inner)
    np.testing.assert_array_equal(
        decode_audio(bytes(stream), RATE, 60).waveform, decode_audio(made["wav"], RATE, 60).waveform
    )


def test_a_wav_without_samples_is_empty_whatever_follows() -> None:
    file = io.BytesIO()
    sf.write(file, np.zeros(0), RATE, format="WAV")
    notes = file.getvalue()[:44] + b"LIST" + struct.pack("<I", 400) + b"INFO" + bytes(396)
    empty = bytearray(notes)
    empty[4:8] = struct.pack("<I", len(empty) - 8)
    assert code_of(bytes(empty)) == "empty"


@pytest.mark.parametrize("tail", [b"TAG" + bytes(125), bytes(5000), b"\xff\xf8" * 50])
def test_what_follows_flac_and_ogg_is_passed_over(made: dict[str, bytes], tail: bytes) -> None:
    for name in ("flac", "vorbis"):
        np.testing.assert_array_equal(
            decode_audio(made[name] + tail, RATE, 60).waveform,
            decode_audio(made[name], RATE, 60).waveform,
        )


@given(st.binary(max_size=3000))
def test_bytes_are_no_audio(garbage: bytes) -> None:
    assert code_of(garbage) in {"unreadable", "truncated", "empty"}  # it may begin like some format


@given(st.text(min_size=1, max_size=400))
def test_text_is_no_audio(text: str) -> None:
    assert code_of(text.encode()) == "unreadable"


MAGIC = (
    b"RIFF\x24\0\0\0WAVE", b"RIFF\x24\0\0\0AVI ", b"FORM\0\0\0\x24AIFF", b"fLaC", b"OggS\0", b"caff\0\x01",
    b".snd", b"\0\0\0\x18ftypM4A ", b"\0\0\0\x18moov", b"\x1a\x45\xdf\xa3", b"#!AMR\n", b"FLV\x01", b"MAC ",
    b"wvpk", b"TTA1", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"\0\0\x01\xba", b"ID3\x04\0\0\0\0\0\0",
    b"\xff\xfb\x90\x44", b"\xff\xf8\xc9\x18", b"NIST_1A", b"Creative Voice File\x1a",
)  # fmt: skip


@given(st.sampled_from(MAGIC), st.binary(max_size=2000))
def test_garbage_behind_a_beginning_has_a_name(magic: bytes, garbage: bytes) -> None:
    assert code_of(magic + garbage) in {"unreadable", "truncated", "empty"}


@pytest.mark.parametrize(
    "text",
    ["#EXTM3U\nfile:///etc/passwd\n", "ffconcat version 1.0\nfile a.wav\n", "1\n00:00:01,000\n"],
)
def test_playlists_and_subtitles_are_no_audio(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.mp3").write_text(text)
    assert code_of(tmp_path / "a.mp3") == "unreadable"


def test_headerless_samples_are_no_audio() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert code_of(rng.integers(-32768, 32767, 50_000).astype("<i2").tobytes()) == "unreadable"
        assert code_of(rng.integers(-9, 9, 50_000).astype("<i2").tobytes()) == "unreadable"


def liars(folder: Path) -> list[Path]:
    """Small files whose headers promise 2**36 samples and more."""
    wav, flac = io.BytesIO(), io.BytesIO()
    sf.write(wav, np.zeros(1000), 8000, format="WAV")
    sf.write(flac, np.zeros(1000), 8000, format="FLAC")
    rf64 = b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<IQQQI", 28, 1 << 42, 1 << 41, 1 << 40, 0)
    stated = bytearray(flac.getvalue())
    stated[21] |= 0x0F
    stated[22:26] = b"\xff" * 4
    au = struct.pack(">4sIIIII", b".snd", 24, 0xFFFFFFFF, 3, 8000, 1)
    caf = b"caff\0\x01\0\0desc" + struct.pack(">qd4sIIIII", 32, 8000, b"lpcm", 0, 2, 1, 1, 16)
    caf += b"data" + struct.pack(">qI", 1 << 41, 0)
    channels = bytearray(wav.getvalue())
    channels[22:24], channels[32:34] = b"\xff\xff", b"\xff\xff"
    mp4 = by_ffmpeg("mp4", "alac")
    at = mp4.index(b"stsz") + 12
    sizes = mp4[:at] + b"\xff\xff\xff\xff" + mp4[at + 4 :]
    one_size = mp4[: at - 4] + b"\xff\xff\xff\xf0\xff\xff\xff\xff" + mp4[at + 4 :]
    made = {
        "a.rf64": rf64 + wav.getvalue()[12:40] + b"\xff" * 4 + bytes(2000),
        "a.flac": bytes(stated),
        "a.au": au + bytes(2000),
        "a.caf": caf + bytes(2000),
        "channels.wav": bytes(channels),
        "sizes.mp4": sizes,
        "one_size.mp4": one_size,
    }
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in made]


MEASURE = """
import resource, sys
from pathlib import Path
from stages.audio.decode import decode_audio
from stages.errors import AudioError
import numpy as np, soundfile as sf
sf.write(sys.argv[1] + "/warm.mp3", np.zeros(4000), 8000)
decode_audio(Path(sys.argv[1] + "/warm.mp3"), 32000, 600)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[2:]:
    try:
        decode_audio(Path(path), 8000, 600)
    except AudioError as error:
        print(Path(path).name, error.code)
    else:
        print(Path(path).name, "read")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, file=sys.stderr)
"""


def test_a_header_allocates_nothing(tmp_path: Path) -> None:
    """Measured as the peak of a whole process: the decoders' memory is not Python's."""
    command = [sys.executable, "-c", MEASURE, str(tmp_path), *map(str, liars(tmp_path))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    answers = dict(line.split() for line in done.stdout.splitlines())
    assert answers["a.rf64"] == answers["a.flac"] == "truncated"
    assert answers["a.au"] == answers["a.caf"] == "read"
    assert answers["channels.wav"] in {"truncated", "unreadable"}
    assert len(answers) == 7
    assert int(done.stderr) < 60_000  # kB; the least that was promised is 8 GiB


def test_nothing_is_said_on_stderr(
    made: dict[str, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    for whole in made.values():
        outcome_of(whole[: len(whole) // 2])
        outcome_of(whole[:3000] + whole[3500:])
        outcome_of(whole[:200] + np.random.default_rng(0).bytes(9000))
    assert capfd.readouterr() == ("", "")


def test_tags_behind_an_mp3_are_passed_over_and_junk_within_is_not(made: dict[str, bytes]) -> None:
    mp3 = made["mp3"]
    samples = len(decode_audio(mp3, RATE, 60).waveform)
    tagged = decode_audio(mp3 + b"TAG" + bytes(125), RATE, 60).waveform
    assert len(tagged) == samples
    assert samples <= len(decode_audio(mp3 + b"junk" * 500, RATE, 60).waveform) < samples + 1152
    middle = len(mp3) // 2
    assert code_of(mp3[:middle] + b"junk" * 50 + mp3[middle:]) == "unreadable"
