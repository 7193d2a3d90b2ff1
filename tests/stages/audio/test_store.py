"""Clips there and back, as FLAC and as WAV, and one clip out of many."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from stages.audio import store as store_module
from stages.audio.clip_codec import Codec
from stages.audio.decode import decode_audio
from stages.audio.store import AudioStore, encode_audio
from stages.errors import ArtifactError
from stages.schemas import AUDIO

CODECS = ("flac", "wav")


def decode(encoded: bytes) -> NDArray[np.float32]:
    waveform, rate = sf.read(io.BytesIO(encoded), dtype="float32")
    assert rate == 32000
    return waveform


def write_shard(path: Path, clips: list[bytes], rows_a_group: int = 1) -> None:
    audio = [{"bytes": clip, "path": "a.flac"} for clip in clips]
    table = pa.Table.from_pydict({"clip_id": [""] * len(clips), "audio": audio}, schema=AUDIO)
    pq.write_table(table, path, row_group_size=rows_a_group, compression="none")


def tone(index: int) -> NDArray[np.float32]:
    """A clip that no other index gives; its samples are exact in 16 bits."""
    return (np.arange(100 + index) % (index + 2)).astype(np.float32) / 1024


@given(arrays(np.int16, st.integers(1, 200)), st.sampled_from(CODECS))
def test_16_bit_samples_come_back_bit_for_bit(samples: NDArray[np.int16], codec: Codec) -> None:
    waveform = samples.astype(np.float32) / 32768
    np.testing.assert_array_equal(decode(encode_audio(waveform, 32000, codec)), waveform)


@given(
    arrays(np.float32, st.integers(1, 200), elements=st.floats(-2, 2, width=32)),
    st.sampled_from(CODECS),
)
def test_other_samples_are_rounded_and_clipped(waveform: NDArray[np.float32], codec: Codec) -> None:
    clipped = np.clip(waveform, -1, 32767 / 32768)
    error = np.abs(decode(encode_audio(waveform, 32000, codec)) - clipped)
    assert error.max() <= 0.5 / 32768


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("rows_a_group", [1, 3, 100])
def test_reads_the_clip_of_the_row(tmp_path: Path, rows_a_group: int, codec: Codec) -> None:
    write_shard(
        tmp_path / "a.parquet",
        [encode_audio(tone(i), 32000, codec) for i in range(10)],
        rows_a_group,
    )
    store = AudioStore(tmp_path)
    for row in (9, 0, 4, 3, 5, 4):
        waveform = store.read("a.parquet", row)
        assert waveform.dtype == np.float32
        np.testing.assert_array_equal(waveform, tone(row))
    assert store.sample_rate("a.parquet", 2) == 32000


def test_threads_read_from_more_shards_than_stay_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_OPEN_SHARDS", 2)
    for shard in range(5):
        clips = [encode_audio(tone(8 * shard + row), 32000, "flac") for row in range(8)]
        write_shard(tmp_path / f"{shard}.parquet", clips)
    places = [(shard, row) for shard in range(5) for row in range(8)] * 10
    places = [places[i] for i in np.random.default_rng(0).permutation(len(places))]
    store = AudioStore(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        waveforms = list(
            pool.map(lambda place: store.read(f"{place[0]}.parquet", place[1]), places)
        )
    for (shard, row), waveform in zip(places, waveforms, strict=True):
        np.testing.assert_array_equal(waveform, tone(8 * shard + row))


@pytest.mark.parametrize("stored_rate", [8000, 32000, 44100])
def test_a_clip_at_another_rate_is_resampled_as_its_file_would_be(
    tmp_path: Path, stored_rate: int
) -> None:
    noise = np.random.default_rng(0).integers(-9000, 9000, stored_rate, dtype=np.int16)
    sf.write(tmp_path / "a.wav", noise, stored_rate)
    expected = decode_audio(tmp_path / "a.wav", 16000, max_seconds=2).waveform
    write_shard(
        tmp_path / "a.parquet", [encode_audio(noise / np.float32(32768), stored_rate, "flac")]
    )
    store = AudioStore(tmp_path, 16000)
    np.testing.assert_array_equal(store.read("a.parquet", 0), expected)
    assert store.sample_rate("a.parquet", 0) == stored_rate


def test_only_what_is_at_another_rate_is_resampled(tmp_path: Path) -> None:
    clips = [encode_audio(tone(5), rate, "wav") for rate in (16000, 32000)]
    write_shard(tmp_path / "a.parquet", [*clips, encode_audio(tone(5)[:0], 16000, "wav")])
    store = AudioStore(tmp_path, 32000)
    assert len(store.read("a.parquet", 0)) == 2 * len(tone(5))
    np.testing.assert_array_equal(store.read("a.parquet", 1), tone(5))
    assert len(store.read("a.parquet", 2)) == 0


def refused(folder: Path, shard: str, row: int) -> str:
    with pytest.raises(ArtifactError) as raised:
        AudioStore(folder).read(shard, row)
    assert raised.value.next_step
    return raised.value.message


def test_a_row_that_is_not_there(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.parquet", [encode_audio(tone(0), 32000, "flac")])
    assert "no row 1" in refused(tmp_path, "a.parquet", 1)
    assert "no row -1" in refused(tmp_path, "a.parquet", -1)


def test_a_shard_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    write_shard(tmp_path / "a.parquet", [encode_audio(tone(0), 32000, "flac")])
    pq.write_table(pa.table({"clip_id": ["x"]}), tmp_path / "audio/other.parquet")
    (tmp_path / "audio/text.parquet").write_text("PAR1 no PAR1")
    assert "does not exist" in refused(tmp_path / "audio", "b.parquet", 0)
    assert "no file name" in refused(tmp_path / "audio", "../a.parquet", 0)
    assert "no column 'audio.bytes'" in refused(tmp_path / "audio", "other.parquet", 0)
    assert "text.parquet cannot be read as Parquet" in refused(
        tmp_path / "audio", "text.parquet", 0
    )


def test_a_shard_cut_short(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.parquet", [encode_audio(tone(i), 32000, "flac") for i in range(4)])
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content[:200] + content[400:])
    assert "a.parquet" in refused(tmp_path, "a.parquet", 3)


def test_a_clip_that_is_no_mono_audio(tmp_path: Path) -> None:
    stereo = io.BytesIO()
    sf.write(stereo, np.zeros((100, 2)), 32000, format="FLAC")
    write_shard(tmp_path / "a.parquet", [stereo.getvalue(), b"no audio", b""])
    assert "row 0 holds no mono audio: 2 channels" in refused(tmp_path, "a.parquet", 0)
    assert "row 1 holds no mono audio" in refused(tmp_path, "a.parquet", 1)
    assert "row 2 holds no mono audio" in refused(tmp_path, "a.parquet", 2)


def test_a_wav_clip_of_another_kind(tmp_path: Path) -> None:
    whole = encode_audio(tone(0), 32000, "wav")
    floats, stereo = io.BytesIO(), io.BytesIO()
    sf.write(floats, tone(0), 32000, format="WAV", subtype="FLOAT")
    sf.write(stereo, np.zeros((100, 2)), 32000, format="WAV")
    wrong = [whole[:-1], whole[:-2], whole + b"\0\0", whole[:40], b"RIFF"]
    wrong += [floats.getvalue(), stereo.getvalue()]
    write_shard(tmp_path / "a.parquet", wrong)
    for row in range(len(wrong)):
        assert f"row {row} holds no mono audio" in refused(tmp_path, "a.parquet", row)


def test_a_flac_clip_that_holds_less_than_it_states(tmp_path: Path) -> None:
    flac = bytearray(encode_audio(np.zeros(9000, np.float32), 32000, "flac"))
    flac[24:26] = (9001).to_bytes(2, "big")
    write_shard(tmp_path / "a.parquet", [bytes(flac)])
    assert "9000 samples of 9001" in refused(tmp_path, "a.parquet", 0)
