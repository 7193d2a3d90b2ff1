"""A shard: what is written, what is rejected, and clips taken out of it again."""

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from stages.artifacts import verify_schema
from stages.audio.decode import Cut
from stages.errors import ArtifactError
from stages.prepare.parquet_rows import AudioRows
from stages.prepare.shard_file import file_name
from stages.prepare.shards import (
    ClipTask,
    Encoding,
    FailedClip,
    Result,
    ShardTask,
    StoredClip,
    drop_rows,
    write_shard,
)

WriteTone = Callable[[Path], None]
NAME = "part-00000.parquet"


@pytest.fixture
def encoding(tmp_path: Path, write_tone: WriteTone) -> Encoding:
    """A root with three tones of 0.1 s at 8 kHz and a file without samples, and a folder for shards."""
    for name in ("a", "b", "c"):
        write_tone(tmp_path / f"root/{name}.wav")
    sf.write(tmp_path / "root/empty.wav", np.zeros(0), 8000)
    (tmp_path / "audio").mkdir()
    metadata = {b"spa.artifact": b"audio"}
    return Encoding(tmp_path / "root", tmp_path / "audio", 8000, "wav", 0.0, 60, metadata)


def take(
    encoding: Encoding, *clips: ClipTask, known: Mapping[int, FailedClip] | None = None
) -> list[Result]:
    results: list[Result] = []
    write_shard(ShardTask(NAME, clips), encoding, AudioRows(), known or {}, results.extend)
    return results


def clip(name: str) -> ClipTask:
    return ClipTask(name, f"{name}.wav")


def other(encoding: Encoding, **changes: object) -> Encoding:
    return Encoding(**{name: getattr(encoding, name) for name in encoding.__slots__} | changes)


def test_a_clip_is_a_row_group_and_its_result_says_what_is_in_it(encoding: Encoding) -> None:
    results = take(encoding, clip("a"), clip("empty"), clip("none"), clip("b"))
    with pq.ParquetFile(encoding.folder / NAME) as file:
        verify_schema(encoding.folder / NAME, file.schema_arrow, "audio")
        assert file.num_row_groups == 2
        rows = file.read().to_pylist()
    assert [row["clip_id"] for row in rows] == ["a", "b"]
    assert [result.code for result in results if isinstance(result, FailedClip)] == [
        "empty",
        "missing",
    ]
    stored = [result for result in results if isinstance(result, StoredClip)]
    assert [result.row for result in stored] == [0, 1]
    for result, row in zip(stored, rows, strict=True):
        source = (encoding.root / f"{row['clip_id']}.wav").read_bytes()
        assert result.source_sha256 == hashlib.sha256(source).hexdigest()
        assert result.audio_sha256 == hashlib.sha256(row["audio"]["bytes"]).hexdigest()
        assert result.encoded_bytes == len(row["audio"]["bytes"])
        assert result.duration_seconds == 0.1
        assert result.source_sample_rate == 8000
        assert result.levels.peak_dbfs == pytest.approx(-6.02, abs=0.05)
        assert np.array_equal(
            sf.read(io.BytesIO(row["audio"]["bytes"]), dtype="int16")[0],
            sf.read(io.BytesIO(source), dtype="int16")[0],
        )


@pytest.mark.parametrize(("codec", "magic"), [("flac", b"fLaC"), ("wav", b"RIFF")])
def test_the_codec(encoding: Encoding, codec: str, magic: bytes) -> None:
    take(other(encoding, codec=codec), clip("a"))
    (audio,) = pq.read_table(encoding.folder / NAME)["audio"].to_pylist()
    assert audio["bytes"][:4] == magic
    assert audio["path"] == f"a.{codec}"


def test_a_part_of_a_file_and_clips_that_are_too_short_or_too_long(encoding: Encoding) -> None:
    limited = other(encoding, min_seconds=0.05, max_seconds=0.08)
    results = take(
        limited,
        ClipTask("whole", "a.wav"),
        ClipTask("cut", "a.wav", None, Cut(0.02, 0.09)),
        ClipTask("short", "a.wav", None, Cut(0.06, 0.1)),
        ClipTask("beyond", "a.wav", None, Cut(0.2, 0.3)),
    )
    assert isinstance(results[1], StoredClip)
    assert results[1].duration_seconds == pytest.approx(0.07)
    failed = [result for result in results if isinstance(result, FailedClip)]
    assert [result.code for result in failed] == ["too_long", "too_short", "too_short"]
    assert failed[1].detail == "0.040 s: less than 0.05 s"


@pytest.mark.parametrize("row_group_size", [1, 2, 5])
def test_rows_of_a_parquet_file_are_stored_as_the_files_are(
    encoding: Encoding, row_group_size: int
) -> None:
    names = ("a", "b", "c", "empty")
    files = [(encoding.root / f"{name}.wav").read_bytes() for name in names]
    rows = [{"bytes": file, "path": "x.wav"} for file in files] + [{"bytes": None, "path": "d.wav"}]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"audio": pa.array(rows, kind)})
    pq.write_table(table, encoding.root / "d.parquet", row_group_size=row_group_size)
    expected = take(encoding, *map(clip, names))
    shard = (encoding.folder / NAME).read_bytes()
    found = take(
        encoding, *(ClipTask(name, "d.parquet", row) for row, name in enumerate([*names, "d"]))
    )
    assert found[:4] == expected
    assert found[4] == FailedClip("missing", "the row holds no bytes, only the path 'd.wav'")
    assert (encoding.folder / NAME).read_bytes() == shard


def test_results_are_reported_when_their_clips_are_written(encoding: Encoding) -> None:
    names = ("a", "empty", "b")
    clips = ShardTask(NAME, tuple(map(clip, names)))
    reports: list[list[Result]] = []
    write_shard(clips, encoding, AudioRows(), {}, reports.append, one_by_one=True)
    assert [len(results) for results in reports] == [1, 1, 1]
    single = (encoding.folder / NAME).read_bytes()
    assert take(encoding, *map(clip, names)) == [
        result for results in reports for result in results
    ]
    assert (encoding.folder / NAME).read_bytes() == single


def test_a_known_result_is_not_tried_again(encoding: Encoding) -> None:
    died = FailedClip("decoder_died", "killed by SIGSEGV")
    results = take(encoding, clip("a"), clip("b"), clip("c"), known={1: died})
    assert results[1] == died
    assert [type(result) for result in results] == [StoredClip, FailedClip, StoredClip]
    assert pq.read_table(encoding.folder / NAME)["clip_id"].to_pylist() == ["a", "c"]


def test_a_shard_with_no_clip_is_not_there(encoding: Encoding) -> None:
    (encoding.folder / NAME).write_bytes(b"left by a killed worker")
    take(encoding, clip("empty"))
    assert list(encoding.folder.iterdir()) == []


def test_what_a_killed_worker_left_is_written_over(encoding: Encoding) -> None:
    take(encoding, clip("a"))
    expected = (encoding.folder / NAME).read_bytes()
    (encoding.folder / NAME).write_bytes(expected[:300] + bytes(10_000))
    take(encoding, clip("a"))
    assert (encoding.folder / NAME).read_bytes() == expected


def test_a_shard_that_cannot_be_written(encoding: Encoding) -> None:
    encoding.folder.rmdir()
    with pytest.raises(FileNotFoundError):
        take(encoding, clip("a"))


def test_hugging_face_metadata(encoding: Encoding) -> None:
    take(encoding, clip("a"))
    metadata = pq.read_schema(encoding.folder / NAME).metadata
    # As `datasets` 4 writes it: Features({"clip_id": Value("string"), "audio": Audio(8000)}).
    assert json.loads(metadata[b"huggingface"])["info"]["features"] == {
        "clip_id": {"dtype": "string", "_type": "Value"},
        "audio": {"sampling_rate": 8000, "_type": "Audio"},
    }
    assert metadata[b"spa.artifact"] == b"audio"


@pytest.mark.parametrize(
    ("clip_id", "name"),
    [
        ("-0vPFx-wRRI", "-0vPFx-wRRI.flac"),
        ("dog/1 (2)", "dog%2F1 (2).flac"),
        ("..", "%2E..flac"),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd.flac"),
        (".hidden", "%2Ehidden.flac"),
        ('C:\\"a"\n', "C%3A%5C%22a%22%0A.flac"),
        ("犬の声 100%", "犬の声 100%25.flac"),
    ],
)
def test_file_names(clip_id: str, name: str) -> None:
    assert file_name(clip_id, "flac") == name


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_file_name_stays_in_its_folder_and_gives_the_id_back(clip_id: str) -> None:
    name = file_name(clip_id, "wav")
    assert Path(name).name == name
    assert unquote(name.removesuffix(".wav")) == clip_id


@pytest.mark.parametrize("dropped", [{"a"}, {"b"}, {"a", "c"}, {"b", "nothing"}])
def test_a_shard_without_some_clips_is_that_of_the_others(
    encoding: Encoding, dropped: set[str]
) -> None:
    names = ("a", "b", "c")
    take(encoding, *(clip(name) for name in names if name not in dropped))
    shard = encoding.folder / NAME
    expected = shard.read_bytes()
    take(encoding, *map(clip, names))
    for _ in range(2):
        drop_rows(shard, dropped)
        assert shard.read_bytes() == expected
    assert list(encoding.folder.iterdir()) == [shard]


def test_a_shard_without_its_last_clip_is_gone(encoding: Encoding) -> None:
    take(encoding, clip("a"), clip("b"))
    for _ in range(2):
        drop_rows(encoding.folder / NAME, {"a", "b"})
        assert list(encoding.folder.iterdir()) == []


def test_dropping_from_what_is_no_shard(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"PAR1")
    with pytest.raises(ArtifactError, match="cannot be read as Parquet"):
        drop_rows(tmp_path / NAME, {"a"})
