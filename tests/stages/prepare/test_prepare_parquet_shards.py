"""Parquet shards as the Hugging Face hub has them: columns, ids, labels, splits, broken files."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.errors import ArtifactError
from stages.models.audioset_labels import AUDIOSET_LABELS
from stages.prepare.catalogue import Catalogue
from stages.prepare.label_list import read_label_list
from stages.prepare.layouts import parquet_shards
from stages.prepare.layouts.detect import choose_layout
from stages.prepare.listing import ListedClip, Reason, Reject
from stages.prepare.parquet_table import ParquetTable
from stages.prepare.source import walk_source

AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
Find = Callable[..., tuple[list[ListedClip], dict[str, Reason]]]


def write_shard(
    path: Path,
    names: Sequence[str | None],
    columns: Mapping[str, object],
    features: object = None,
    **options: object,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    audio = pa.array([{"bytes": b"RIFF", "path": name} for name in names], AUDIO)
    table = pa.table({**columns, "audio": audio})
    if features is not None:
        told = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": told})
    pq.write_table(table, path, **options)


def found(root: Path) -> list[ListedClip | Reject]:
    return list(parquet_shards.scan(walk_source(root, (), Catalogue())).found)


def clips_of(root: Path) -> list[ListedClip]:
    clips = [entry for entry in found(root) if isinstance(entry, ListedClip)]
    assert len(clips) == len(found(root))
    return clips


def test_audioset_as_mirrored(tmp_path: Path, find: Find) -> None:
    """The columns and folders of agkphysics/AudioSet."""
    for folder, ids in (("bal_train", ["--PJHxphWEs", "-0gsc6GlZko"]), ("eval", ["-0RWZT-miFs"])):
        labels = [["/m/09x0r", "/t/dd00088"]] * len(ids)
        columns = {
            "video_id": ids,
            "labels": labels,
            "human_labels": [["Speech", "Gush"]] * len(ids),
        }
        names = [f"audio/{folder}/{name}.flac" for name in ids]
        write_shard(tmp_path / f"data/{folder}/00.parquet", names, columns)
    (tmp_path / "README.md").touch()
    source = walk_source(tmp_path, (), Catalogue())
    assert choose_layout(source, "auto").name == "huggingface"
    listing = parquet_shards.scan(source)
    assert listing.label_list == read_label_list(AUDIOSET_LABELS)
    clips, reasons = find(source, listing)
    assert clips[1] == ListedClip(
        clip_id="-0gsc6GlZko",
        path="data/bal_train/00.parquet",
        where="data/bal_train/00.parquet:1",
        labels=("/m/09x0r", "/t/dd00088"),
        recording_id="-0gsc6GlZko",
        split="train",
        row=1,
    )
    assert [(clip.clip_id, clip.split) for clip in clips][2] == ("-0RWZT-miFs", "eval")
    assert reasons == {"README.md": Reason.NOT_AUDIO}


def test_esc50_as_mirrored(tmp_path: Path) -> None:
    """The columns and file names of ashraq/esc50, whose only split is train: its folds count."""
    rows = {
        "filename": ["1-100032-A-0.wav", "5-9032-A-0.wav"],
        "fold": [1, 5],
        "target": [0, 0],
        "category": ["dog", "dog"],
        "esc10": [True, True],
        "src_file": [100032, 9032],
        "take": ["A", "A"],
    }
    write_shard(tmp_path / "data/train-00000-of-00002-2f1ab7b8.parquet", [None, None], rows)
    listing = parquet_shards.scan(walk_source(tmp_path, (), Catalogue()))
    assert listing.class_map == "esc50"
    assert listing.label_list is None
    first, second = list(listing.found)
    assert isinstance(first, ListedClip)
    assert isinstance(second, ListedClip)
    assert (first.clip_id, first.labels, first.recording_id) == ("1-100032-A-0", ("dog",), "100032")
    assert (second.fold, second.split, second.row) == (5, None, 1)


@pytest.mark.parametrize(
    "label_feature",
    [
        {"_type": "Sequence", "feature": {"_type": "ClassLabel", "names": ["Dog", "Cat"]}},
        {"_type": "List", "feature": {"_type": "ClassLabel", "names": ["Dog", "Cat"]}},
        [{"_type": "ClassLabel", "names": ["Dog", "Cat"]}],
    ],
)
def test_numbers_with_names(tmp_path: Path, label_feature: object) -> None:
    columns = {"label": pa.array([[0], [1, 0], [], None, [2], [-1]], pa.list_(pa.int64()))}
    features = {"label": label_feature, "audio": {"_type": "Audio"}}
    write_shard(tmp_path / "test/0.parquet", list("abcdef"), columns, features)
    entries = found(tmp_path)
    assert [
        entry.labels if isinstance(entry, ListedClip) else entry.reason for entry in entries
    ] == [
        ("Dog",),
        ("Cat", "Dog"),
        (),
        (),
        Reason.MALFORMED_ROW,
        (),
    ]


@pytest.mark.parametrize(
    "metadata",
    ["[" * 100_000, "null", '{"info": 3}', '{"info": {"features": {"label": {"names": [1]}}}}'],
)
def test_numbers_without_names_that_make_sense(tmp_path: Path, metadata: str) -> None:
    audio = pa.array([{"bytes": b"", "path": "a.wav"}], AUDIO)
    table = pa.table({"label": [7], "audio": audio})
    pq.write_table(table.replace_schema_metadata({"huggingface": metadata}), tmp_path / "0.parquet")
    assert [clip.labels for clip in clips_of(tmp_path)] == [("7",)]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.large_string(), ["Dog", "Cat"]),
        (pa.string_view(), ["Dog", "Cat"]),
        (pa.dictionary(pa.int32(), pa.string()), ["Dog", "Cat"]),
        (pa.large_list(pa.large_string()), [["Dog"], ["Cat"]]),
        (pa.list_(pa.dictionary(pa.int8(), pa.string())), [["Dog"], ["Cat"]]),
    ],
)
def test_columns_of_every_text_type(
    tmp_path: Path, kind: pa.DataType, values: list[object]
) -> None:
    write_shard(tmp_path / "0.parquet", ["a", "b"], {"labels": pa.array(values, kind)})
    assert [clip.labels for clip in clips_of(tmp_path)] == [("Dog",), ("Cat",)]


def test_ids_without_a_column(tmp_path: Path) -> None:
    """By the embedded file's name, where it is the only one; many mirrors call all alike."""
    write_shard(tmp_path / "0.parquet", ["x/a.wav", "audio.wav", None], {"label": ["Dog"] * 3})
    write_shard(tmp_path / "1.parquet", ["audio.wav", "b.wav"], {"label": ["Dog"] * 2})
    ids = [clip.clip_id for clip in clips_of(tmp_path)]
    assert ids == ["a", "0.parquet:1", "0.parquet:2", "1.parquet:0", "b"]


def test_splits(tmp_path: Path) -> None:
    for name in ("train-00000-of-00001", "validation-0", "data/test/0", "other"):
        write_shard(tmp_path / f"{name}.parquet", [name], {"label": ["Dog"]})
    columns = {"label": ["Dog"] * 3, "split": ["train", None, "holdout"]}
    write_shard(tmp_path / "z.parquet", list("abc"), columns)
    splits = {
        entry.where if isinstance(entry, ListedClip) else entry.source_path: (
            entry.split if isinstance(entry, ListedClip) else entry.reason
        )
        for entry in found(tmp_path)
    }
    assert splits == {
        "train-00000-of-00001.parquet:0": "train",
        "validation-0.parquet:0": "valid",
        "data/test/0.parquet:0": "eval",
        "other.parquet:0": None,
        "z.parquet:0": "train",
        "z.parquet:1": None,
        "z.parquet:2": Reason.MALFORMED_ROW,
    }


def test_which_label_list(tmp_path: Path) -> None:
    """AudioSet's where every label is in it; one in the folder where any is."""

    def label_list() -> object:
        listing = parquet_shards.scan(walk_source(tmp_path, (), Catalogue()))
        return listing.label_list and len(listing.label_list)

    write_shard(tmp_path / "0.parquet", ["a"], {"labels": [["/m/09x0r"]]})
    assert label_list() == 527
    write_shard(tmp_path / "1.parquet", ["b"], {"labels": [["/m/unheard"]]})
    assert label_list() is None
    (tmp_path / "class_labels_indices.csv").write_text("index,mid,display_name\n0,/m/09x0r,Speech")
    assert label_list() == 1
    write_shard(tmp_path / "0.parquet", ["a"], {"labels": [["Speech"]]})
    assert label_list() is None


def test_files_that_are_no_shards(tmp_path: Path, find: Find) -> None:
    write_shard(tmp_path / "good.parquet", ["a"], {"label": ["Dog"]})
    write_shard(tmp_path / "no_labels.parquet", ["b"], {"text": ["a dog barks"]})
    pq.write_table(pa.table({"label": ["Dog"], "audio": [b"RIFF"]}), tmp_path / "no_audio.parquet")
    (tmp_path / "no_parquet.parquet").write_bytes(b"PAR1 not at all PAR1")
    (tmp_path / "empty.parquet").touch()
    source = walk_source(tmp_path, (), Catalogue())
    clips, reasons = find(source, parquet_shards.scan(source))
    assert [clip.clip_id for clip in clips] == ["a"]
    assert reasons == {
        "no_labels.parquet": Reason.MALFORMED_ROW,
        "no_audio.parquet": Reason.MALFORMED_ROW,
        "no_parquet.parquet": Reason.UNREADABLE,
        "empty.parquet": Reason.UNREADABLE,
    }
    details = [entry.detail for entry in found(tmp_path) if isinstance(entry, Reject)]
    assert not [detail for detail in details if str(tmp_path) in detail]


def test_a_shard_that_breaks_off(tmp_path: Path) -> None:
    labels = [f"label {number}" for number in range(10_000)]
    columns = {"label": labels, "id": [str(number) for number in range(10_000)]}
    path = tmp_path / "0.parquet"
    write_shard(path, ["a"] * 10_000, columns, compression="none", use_dictionary=False)
    whole = path.read_bytes()
    at = whole.index(b"label 9000")
    path.write_bytes(whole[: at - 40_000] + b"\xff" * 40_000 + whole[at:])
    *clips, last = found(tmp_path)
    assert isinstance(last, Reject)
    assert last.reason is Reason.UNREADABLE
    assert f"from row {len(clips)} on" in last.detail


def test_a_small_file_of_endless_values(tmp_path: Path) -> None:
    """Twenty thousand rows of one dictionary entry: 20 GB, if it were read to the end."""
    rows = 20_000
    labels = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * 1_000_000])
    audio = pa.StructArray.from_arrays(
        [pa.nulls(rows, field.type) for field in AUDIO], fields=[*AUDIO]
    )
    path = tmp_path / "0.parquet"
    pq.write_table(pa.table({"label": labels, "audio": audio}), path)
    assert path.stat().st_size < 100_000
    (reject,) = found(tmp_path)
    assert isinstance(reject, Reject)
    assert reject.reason is Reason.UNREADABLE
    assert reject.detail == "from row 0 on: 0.parquet has values beyond all measure"


SHARED = pa.DictionaryArray.from_arrays(pa.array([0] * 256, pa.int32()), ["x" * (8 << 20)])
ENDLESS = {
    "text": SHARED,
    "field": pa.StructArray.from_arrays([SHARED], ["x"]),
    "list": pa.ListArray.from_arrays(pa.array(range(257), pa.int32()), SHARED),
    "large list": pa.LargeListArray.from_arrays(pa.array(range(257), pa.int64()), SHARED),
    "one row": pa.ListArray.from_arrays(pa.array([0, 256], pa.int32()), SHARED),
    "list of structs": pa.ListArray.from_arrays(
        pa.array(range(257), pa.int32()), pa.StructArray.from_arrays([SHARED], ["x"])
    ),
}
READ = """
import resource, sys
from pathlib import Path
from stages.errors import ArtifactError
from stages.prepare.parquet_table import ParquetTable

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    with ParquetTable(Path(sys.argv[1])) as table:
        print(len(list(table.rows(["labels"]))))
except ArtifactError as error:
    print("beyond all measure" in str(error))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("store_schema", [True, False])
@pytest.mark.parametrize("kind", ENDLESS)
def test_a_long_value_is_not_written_out_before_it_is_measured(
    tmp_path: Path, kind: str, *, store_schema: bool
) -> None:
    """Two GB, if each of the 256 values were."""
    path = tmp_path / "a.parquet"
    table = pa.table({"labels": ENDLESS[kind]})
    pq.write_table(table, path, compression="zstd", store_schema=store_schema)
    assert path.stat().st_size < 4000
    reading = subprocess.run(
        [sys.executable, "-c", READ, path], capture_output=True, text=True, check=True
    )
    refused, kilobytes = reading.stdout.split()
    assert refused == "True"
    assert int(kilobytes) < 128 * 1024


def test_text_in_any_encoding_is_the_same(tmp_path: Path) -> None:
    ids = [None if row % 7 == 0 else f"clip {row}" for row in range(600)]
    labels = [[f"label {row % 5}", None, "Dog"][: row % 4] for row in range(600)]
    table = pa.table({"id": ids, "labels": labels})
    for number, options in enumerate(
        (
            {"use_dictionary": True},
            {"use_dictionary": False},
            {"use_dictionary": ["id"], "store_schema": False},
            {"use_dictionary": False, "column_encoding": {"id": "DELTA_BYTE_ARRAY"}},
            {"use_dictionary": False, "column_encoding": {"id": "DELTA_LENGTH_BYTE_ARRAY"}},
        )
    ):
        path = tmp_path / f"{number}.parquet"
        pq.write_table(table, path, row_group_size=400, **options)
        with ParquetTable(path) as read:
            rows = [row for _, row in read.rows(["id", "labels"])]
        assert rows == [{"id": i, "labels": names} for i, names in zip(ids, labels, strict=True)]


def test_values_of_the_wrong_kind(tmp_path: Path) -> None:
    no_utf8 = pa.array([b"Dog", b"D\xf6g"], pa.binary()).view(pa.string())
    write_shard(tmp_path / "0.parquet", ["a", "b"], {"label": no_utf8}, version="1.0")
    write_shard(tmp_path / "1.parquet", ["c"], {"label": [{"name": "Dog"}]})
    write_shard(tmp_path / "2.parquet", ["d"], {"label": ["Dog"], "fold": ["first"]})
    write_shard(tmp_path / "3.parquet", ["e"], {"label": [1.5]})
    entries = found(tmp_path)
    assert [isinstance(entry, ListedClip) for entry in entries] == [
        True,
        False,
        False,
        False,
        False,
    ]
    rejects = [entry for entry in entries if isinstance(entry, Reject)]
    assert {reject.reason for reject in rejects} == {Reason.MALFORMED_ROW}
    assert rejects[0].source_path == "0.parquet:1"


def test_two_columns_of_one_name_are_none(tmp_path: Path) -> None:
    audio = pa.array([{"bytes": b"", "path": "a.wav"}], AUDIO)
    columns = [pa.array(["Dog"]), pa.array(["Cat"]), audio]
    pq.write_table(
        pa.Table.from_arrays(columns, names=["label", "label", "audio"]), tmp_path / "0.parquet"
    )
    (reject,) = found(tmp_path)
    assert isinstance(reject, Reject)
    assert reject.reason is Reason.MALFORMED_ROW


def test_a_label_list_that_is_none(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.parquet", ["a"], {"label": ["Dog"]})
    (tmp_path / "class_labels_indices.csv").write_text("index,mid\n")
    with pytest.raises(ArtifactError, match="has no column 'display_name'"):
        found(tmp_path)
