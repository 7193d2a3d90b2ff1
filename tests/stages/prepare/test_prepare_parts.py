"""The parts that say what became of the clips of a shard."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.audio.levels import Levels
from stages.prepare.parts import PART, parts_done, write_part
from stages.prepare.shards import ClipTask, FailedClip, Result, ShardTask, StoredClip

TASK = ShardTask("part-00003.parquet", tuple(ClipTask(name, f"{name}.wav") for name in "abc"))
RESULTS: list[Result] = [
    StoredClip(0, 1.5, "aa", 44100, Levels(-3.0, -12.5, 0.25, 0.5), "bb", 1234),
    FailedClip("empty", "holds no samples"),
    StoredClip(1, 2.0, "cc", 8000, Levels(None, None, 0.0, 0.0), "dd", 99),
]


def test_a_part_says_what_became_of_each_clip(tmp_path: Path) -> None:
    write_part(tmp_path, TASK, RESULTS)
    table = pq.read_table(tmp_path / TASK.name)
    assert table.schema == PART
    a, b, c = table.to_pylist()
    assert a == {
        "clip_id": "a",
        "row": 0,
        "reason": None,
        "detail": None,
        "duration_seconds": 1.5,
        "source_sha256": "aa",
        "source_sample_rate": 44100,
        "peak_dbfs": -3.0,
        "rms_dbfs": -12.5,
        "dc_offset": 0.25,
        "clipped_share": 0.5,
        "audio_sha256": "bb",
        "encoded_bytes": 1234,
    }
    assert {key: value for key, value in b.items() if value is not None} == {
        "clip_id": "b",
        "reason": "empty",
        "detail": "holds no samples",
    }
    assert (c["row"], c["peak_dbfs"], c["rms_dbfs"], c["dc_offset"]) == (1, None, None, 0.0)
    assert parts_done(tmp_path) == {TASK.name}


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    write_part(tmp_path, TASK, RESULTS)
    before = (tmp_path / TASK.name).read_bytes()
    write_part(tmp_path, TASK, RESULTS)
    assert (tmp_path / TASK.name).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [TASK.name]


def test_a_result_too_few_is_no_part(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        write_part(tmp_path, TASK, RESULTS[:2])
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_is_not_done(tmp_path: Path) -> None:
    assert parts_done(tmp_path) == set()
    write_part(tmp_path, TASK, RESULTS)
    whole = (tmp_path / TASK.name).read_bytes()
    for kept in range(0, len(whole), 97):
        (tmp_path / "part-00004.parquet").write_bytes(whole[:kept])
        assert parts_done(tmp_path) == {TASK.name}
    (tmp_path / ".part-00005.parquet.0a1b2c3d.partial").write_bytes(whole)
    pq.write_table(pa.table({"clip_id": ["a"]}), tmp_path / "part-00006.parquet")
    assert parts_done(tmp_path) == {TASK.name}
