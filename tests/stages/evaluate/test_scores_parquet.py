"""Scores from Parquet files, among them hostile ones."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.errors import ArtifactError, SpaError, UsageError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.predictions import Predictions, read_predictions

LABELS = Labels(("/m/dog", "/m/bark", "/m/cat"), ("Dog", "Bark", "Cat"))
SCORES = [[0.9, 0.8, 0.1], [0.2, 0.1, 0.7], [0.3, 0.6, 0.2], [0.1, 0.2, 0.3]]
TARGETS = [[0, 1], [2], [2], []]


def columns(**changes: object) -> dict[str, object]:
    return {
        "clip_id": pa.array(["a", "b", "c", "d"]),
        "scores": pa.array(SCORES, pa.list_(pa.float32())),
        "targets": pa.array(TARGETS, pa.list_(pa.int32())),
        **changes,
    }


def read(
    folder: Path,
    written: dict[str, object],
    group_by: str | None = None,
    metadata: dict[bytes, bytes] | None = None,
) -> Predictions:
    path = folder / "scores.parquet"
    pq.write_table(pa.table(written).replace_schema_metadata(metadata), path)
    return read_predictions(path, LABELS, group_by)


def test_what_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, columns())
    assert found.source == str(tmp_path / "scores.parquet")
    assert found.clip_ids == ["a", "b", "c", "d"]
    assert found.scores.dtype == np.float32
    np.testing.assert_array_equal(found.scores, np.array(SCORES, np.float32))
    assert found.targets.astype(int).tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert found.groups is None


def test_rows_can_be_taken(tmp_path: Path) -> None:
    found = read(tmp_path, columns(take=["x", "x", "y", "z"]), "take").take(np.array([3, 1]))
    assert found.clip_ids == ["d", "b"]
    assert found.groups == ["z", "x"]
    np.testing.assert_array_equal(found.scores, np.array(SCORES, np.float32)[[3, 1]])
    assert found.targets.astype(int).tolist() == [[0, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.field("item", pa.float64())),
        pa.list_(pa.field("element", pa.float32(), nullable=False)),
        pa.large_list(pa.float16()),
        pa.list_(pa.float32(), 3),
    ],
)
@pytest.mark.parametrize("text", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_any_list_and_text_type(tmp_path: Path, kind: pa.DataType, text: pa.DataType) -> None:
    """Scores keep their precision."""
    dtype = kind.value_type.to_pandas_dtype()
    rows = [np.array(row, dtype=dtype) for row in SCORES]
    written = columns(
        clip_id=pa.array(["a", "b", "c", "d"]).cast(text),
        scores=pa.array(rows, kind),
        targets=pa.array(TARGETS, pa.large_list(pa.uint16())),
        another=[1, 2, 3, 4],
    )
    found = read(tmp_path, written)
    assert found.clip_ids == ["a", "b", "c", "d"]
    assert found.scores.dtype == dtype
    np.testing.assert_array_equal(found.scores, np.array(SCORES, dtype))
    assert found.targets.sum() == 4


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint64(), pa.bool_()])
def test_hard_decisions(tmp_path: Path, kind: pa.DataType) -> None:
    decided = [[1, 0, 0], [0, 0, 1], [0, 1, 1], [0, 0, 0]]
    scores = pa.array(decided, pa.list_(pa.int64())).cast(pa.list_(kind))
    found = read(tmp_path, columns(scores=scores))
    assert found.scores.dtype == np.float64
    assert found.scores.tolist() == decided


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["r1", "r1", "r2", "r2"], ["r1", "r1", "r2", "r2"]),
        (pa.array([7, 7, 8, 8], pa.int32()), ["7", "7", "8", "8"]),
        (pa.array(["r1", "r1", "r2", "r2"]).dictionary_encode(), ["r1", "r1", "r2", "r2"]),
    ],
)
def test_groups(tmp_path: Path, values: object, expected: list[str]) -> None:
    assert read(tmp_path, columns(take=values), "take").groups == expected


def test_every_clip_can_be_a_group(tmp_path: Path) -> None:
    assert read(tmp_path, columns(), "clip_id").groups == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["x", None, "y", "y"], "row 1 has no take"),
        (["x", "y", "", "y"], "row 2 has no take"),
        (pa.array([1, None, 2, 2]), "row 1 has no take"),
        ([0.5, 0.5, 1.5, 1.5], "column 'take' is double"),
    ],
)
def test_bad_groups(tmp_path: Path, values: object, message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        read(tmp_path, columns(take=values), "take")


def test_groups_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="not one 'recording_id'"):
        read(tmp_path, columns(), "recording_id")
    for name in ("nosuch", "loudness", "also"):
        more: dict[str, object] = {"site": ["x"] * 4, "fold": [1] * 4, "loudness": [0.5] * 4}
        more["also"] = [["x"]] * 4
        with pytest.raises(ArtifactError, match=f"'{name}'") as caught:
            read(tmp_path, columns(**more), name)
        assert str(caught.value.next_step).endswith("text or whole numbers: 'site', 'fold'")
    with pytest.raises(ArtifactError, match="column 'loudness' is double") as caught:
        read(tmp_path, columns(loudness=[0.5] * 4), "loudness")
    assert str(caught.value.next_step).startswith("leave out --group-by")
    with pytest.raises(UsageError, match="--group-by targets"):
        read(tmp_path, columns(), "targets")


def row(changed: list[float | None]) -> list[list[float | None]]:
    return [SCORES[0], changed, SCORES[2], SCORES[3]]


BAD = {
    "NaN": (
        columns(scores=row([0.1, float("nan"), 0.2])),
        r"clip 1 has score nan for label 1 \(clip_id 'b', label '/m/bark'\)",
    ),
    "infinite": (columns(scores=row([0.1, 0.2, float("inf")])), "clip_id 'b', label '/m/cat'"),
    "narrow row": (columns(scores=row([0.1, 0.2])), "clip 'b' has 2 scores for 3 labels"),
    "wide rows": (columns(scores=[[0.1] * 5] * 4), "clip 'a' has 5 scores for 3 labels"),
    "empty row": (columns(scores=row([])), "clip 'b' has 0 scores for 3 labels"),
    "null score": (columns(scores=row([0.1, None, 0.2])), "clip 'b' has a null in 'scores'"),
    "null row": (
        columns(scores=pa.array([SCORES[0], None, *SCORES[2:]])),
        "clip 'b' has a null in 'scores'",
    ),
    "null target": (
        columns(targets=pa.array([[0, 1], [2], [None], []], pa.list_(pa.int32()))),
        "clip 'c' has a null in 'targets'",
    ),
    "target out of range": (
        columns(targets=[[0, 1], [2], [3], []]),
        r"clip 2 has target 3; with 3 labels, 0 to 2 are possible \(clip_id 'c'\)",
    ),
    "negative target": (columns(targets=[[0, 1], [2], [-1], []]), r"target -1.*clip_id 'c'"),
    "target beyond int64": (
        columns(targets=pa.array([[0], [2], [2**64 - 1], []], pa.list_(pa.uint64()))),
        "target 18446744073709551615.*clip_id 'c'",
    ),
    "target twice": (
        columns(targets=[[0, 1], [2, 2], [0], []]),
        r"clip 1 has target 2 twice \(clip_id 'b', label '/m/cat'\)",
    ),
    "0 or 1 for each label": (
        columns(targets=[[1, 0, 1], [0, 0, 1], [0, 1, 0], [0, 0, 0]]),
        "the targets of clip 'a' look like 0 or 1 for each of the 3 labels",
    ),
    "0 or 1 for each label, of fixed size": (
        columns(targets=pa.array([[0, 0, 1]] * 4, pa.list_(pa.int8(), 3))),
        "the targets of clip 'a' look like 0 or 1 for each of the 3 labels",
    ),
    "clip twice": (columns(clip_id=["a", "b", "a", "d"]), "clip_id 'a' is there twice"),
    "no clip_id": (columns(clip_id=["a", None, "c", "d"]), "row 1 has no clip_id"),
    "empty clip_id": (columns(clip_id=["a", "b", "", "d"]), "row 2 has no clip_id"),
    "numbers for clips": (columns(clip_id=[1, 2, 3, 4]), "column 'clip_id' is int64"),
    "text for scores": (columns(scores=[["x"]] * 4), "column 'scores' is list<.*string>"),
    "plain scores": (columns(scores=[0.1] * 4), "column 'scores' is double"),
    "multi-hot floats": (columns(targets=[[1.0]] * 4), "column 'targets' is list<.*double>"),
    "no targets": (
        {key: value for key, value in columns().items() if key != "targets"},
        r"has the columns \['clip_id', 'scores'\], not one 'targets'",
    ),
    "no clips": ({key: value[:0] for key, value in columns().items()}, "has no clips"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_scores_are_named(tmp_path: Path, name: str) -> None:
    written, message = BAD[name]
    with pytest.raises(ArtifactError, match=message) as caught:
        read(tmp_path, written)
    assert str(tmp_path / "scores.parquet") in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.next_step


def test_a_column_that_is_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    arrays = [*columns().values(), pa.array(["a", "b", "c", "d"])]
    pq.write_table(pa.table(arrays, ["clip_id", "scores", "targets", "clip_id"]), path)
    with pytest.raises(ArtifactError, match="not one 'clip_id'"):
        read_predictions(path, LABELS)


def stated(value: object) -> dict[bytes, bytes]:
    return {b"spa.labels": value if isinstance(value, bytes) else json.dumps(value).encode()}


def test_labels_that_the_file_states(tmp_path: Path) -> None:
    read(tmp_path, columns(), metadata=stated(LABELS.mids))
    with pytest.raises(ArtifactError, match=r"label 1 is '/m/cat'.*same labels in another order"):
        read(tmp_path, columns(), metadata=stated(["/m/dog", "/m/cat", "/m/bark"]))


@pytest.mark.parametrize(
    "value", [b"\xff", b"[", b"[" * 100_000, {"0": "/m/dog"}, [1, 2, 3], "/m/dog", None]
)
def test_labels_that_are_no_list_of_mids(tmp_path: Path, value: object) -> None:
    with pytest.raises(ArtifactError, match=r"metadata 'spa.labels' is no JSON list of mids"):
        read(tmp_path, columns(), metadata=stated(value))


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    path.write_bytes(b"clip_id,scores\n")
    with pytest.raises(SpaError, match="cannot be read as Parquet"):
        read_predictions(path, LABELS)


def test_a_cut_off_file(tmp_path: Path) -> None:
    many = {key: pa.concat_arrays([value] * 2000) for key, value in columns().items()}
    many["clip_id"] = pa.array([f"clip{index}" for index in range(8000)])
    path = tmp_path / "scores.parquet"
    pq.write_table(pa.table(many), path)
    content = bytearray(path.read_bytes())
    content[100 : len(content) // 2] = b"\xff" * (len(content) // 2 - 100)
    for broken in (content, content[: len(content) // 2], content[-2000:]):
        path.write_bytes(broken)
        with pytest.raises(SpaError, match="cannot be read as Parquet") as caught:
            read_predictions(path, LABELS)
        assert "\n" not in caught.value.message


def test_text_that_is_no_utf8(tmp_path: Path) -> None:
    def text(*values: bytes) -> pa.Array:
        return pa.Array.from_buffers(pa.string(), len(values), pa.array(values).buffers())

    for changes in ({"clip_id": text(b"a", b"\xff", b"c", b"d")}, {"take": text(*[b"\xff"] * 4)}):
        with pytest.raises(ArtifactError, match="it has text that is no UTF-8"):
            read(tmp_path, columns(**{"take": ["x"] * 4, **changes}), "take")


DAMAGE = """
import sys
from contextlib import suppress
from pathlib import Path
import numpy as np
from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.predictions import read_predictions

path, labels = Path(sys.argv[1]), Labels(("/m/dog", "/m/bark", "/m/cat"), ("Dog", "Bark", "Cat"))
whole = path.read_bytes()
random = np.random.default_rng(0)
for _ in range(1500):
    broken = np.frombuffer(whole, np.uint8).copy()
    places = random.integers(0, len(broken), random.integers(1, 4))
    broken[places] = random.integers(0, 256, len(places))
    path.write_bytes(broken.tobytes())
    with suppress(ArtifactError):
        read_predictions(path, labels)
"""


def test_any_damage_is_an_error_of_ours_or_none(tmp_path: Path) -> None:
    """In a process of its own: there is broken metadata at which pyarrow would end it."""
    pq.write_table(pa.table(columns()), tmp_path / "scores.parquet")
    command = [sys.executable, "-c", DAMAGE, str(tmp_path / "scores.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_few_bytes_that_stand_for_very_many_scores(tmp_path: Path) -> None:
    """One clip of 20 million equal scores: refused by its count, before it is read."""
    values = pa.array(np.zeros(20_000_000, np.float32))
    scores = pa.LargeListArray.from_arrays([0, len(values)], values)
    written = {"clip_id": ["a"], "scores": scores, "targets": [[0]]}
    with pytest.raises(ArtifactError, match="has 20000000 scores for 1 clip of 3 labels"):
        read(tmp_path, written)
    assert (tmp_path / "scores.parquet").stat().st_size < 200_000


def test_a_few_bytes_that_stand_for_very_long_text(tmp_path: Path) -> None:
    clips = ["a" * 2_000_000, *(f"clip{index}" for index in range(3))]
    path = tmp_path / "scores.parquet"
    pq.write_table(pa.table(columns(clip_id=clips)), path, compression="zstd")
    assert path.stat().st_size < 20_000
    with pytest.raises(ArtifactError, match=r"column 'clip_id' takes 20000.. bytes for 4 clips"):
        read_predictions(path, LABELS)


def test_the_same_long_text_very_often(tmp_path: Path) -> None:
    """A text of a megabyte in a dictionary, for 4000 clips: held once, and not in the message."""
    repeated = pa.DictionaryArray.from_arrays(np.zeros(4000, np.int32), ["a" * 1_000_000])
    written = {
        "clip_id": repeated,
        "scores": pa.array([[0.0] * 3] * 4000),
        "targets": pa.array([[0]] * 4000),
    }
    with pytest.raises(ArtifactError, match="row 0 has a clip_id of 1000000 characters"):
        read(tmp_path, written)


def test_more_scores_than_memory_can_be_expected_to_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.evaluate.scores_file.columns.MOST_SCORE_BYTES", 4 * 3 * 4)
    read(tmp_path, columns())
    with pytest.raises(ArtifactError, match="4 clips of 3 labels: scores of 8 bytes each"):
        read(tmp_path, columns(scores=SCORES))


@pytest.mark.parametrize("name", ["scores.json", "scores", "scores.csv.gz", "scores.npy"])
def test_a_suffix_that_is_not_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"\.parquet, \.pq, \.csv, \.tsv, \.npz"):
        read_predictions(tmp_path / name, LABELS)


def test_suffixes_in_capitals(tmp_path: Path) -> None:
    path = tmp_path / "SCORES.PQ"
    pq.write_table(pa.table(columns()), path)
    assert read_predictions(path, LABELS).clip_ids == ["a", "b", "c", "d"]
