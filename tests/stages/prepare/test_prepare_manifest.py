"""Manifests of every kind: what they say, and that every line of them ends as a clip or a reject."""

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stages.errors import ArtifactError
from stages.prepare.catalogue import Catalogue
from stages.prepare.layouts import manifest
from stages.prepare.layouts.detect import choose_layout
from stages.prepare.listing import ListedClip, Reason, Reject
from stages.prepare.source import SourceFolder, walk_source

Make = Callable[..., SourceFolder]
Find = Callable[..., tuple[list[ListedClip], dict[str, Reason]]]

ROWS: list[dict[str, object]] = [
    {"path": "a.wav", "labels": ["Dog", "/m/bark"], "split": "Training"},
    {"path": "b/c.flac", "labels": ["Cat"], "split": "test", "fold": 3, "clip_id": "mine"},
    {"path": "a.wav", "labels": ["Rain"], "start_seconds": 1.5, "end_seconds": 10, "split": "dev"},
    {"path": "a.wav", "labels": ["Rain"], "start_seconds": 20, "recording_id": "tape 7"},
]
CLIPS = [
    ("a.wav", "a.wav", ("Dog", "/m/bark"), "a.wav", None, "train", None, None),
    ("mine", "b/c.flac", ("Cat",), "b/c.flac", 3, "eval", None, None),
    ("a.wav@1.5-10", "a.wav", ("Rain",), "a.wav", None, "valid", 1.5, 10.0),
    ("a.wav@20-", "a.wav", ("Rain",), "tape 7", None, None, 20.0, None),
]
COLUMNS = ("path", "labels", "split", "fold", "start_seconds", "end_seconds", "clip_id")


def write(path: Path, rows: Sequence[dict[str, object]]) -> Path:
    """Write rows as the kind of file that the extension says."""
    columns = [*COLUMNS, "recording_id", "remark"]
    whole = [{column: row.get(column) for column in columns} for row in rows]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(whole), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    else:
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            delimiter = "\t" if path.suffix == ".tsv" else ","
            writer = csv.DictWriter(file, columns, delimiter=delimiter)
            writer.writeheader()
            for row in whole:
                labels = row["labels"]
                assert isinstance(labels, list)
                writer.writerow({**row, "labels": " ; ".join(labels)})
    return path


def fields(entry: ListedClip | Reject) -> tuple[object, ...]:
    assert isinstance(entry, ListedClip)
    return (entry.clip_id, entry.path, *entry[3:9])


def scan(root: Path, content: str | bytes, name: str = "manifest.csv") -> list[ListedClip | Reject]:
    path = root / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(manifest.scan(walk_source(root, (), Catalogue())).found)


def outcomes(entries: Sequence[ListedClip | Reject]) -> list[object]:
    return [entry.path if isinstance(entry, ListedClip) else entry.reason for entry in entries]


@pytest.mark.parametrize("extension", ["csv", "tsv", "jsonl", "parquet"])
def test_every_kind_says_the_same(tmp_path: Path, extension: str) -> None:
    name = f"manifest.{extension}"
    write(tmp_path / name, ROWS)
    source = walk_source(tmp_path, (), Catalogue())
    assert choose_layout(source, "auto").name == "manifest"
    listing = manifest.scan(source)
    entries = list(listing.found)
    assert [fields(entry) for entry in entries] == CLIPS
    first = {"csv": 2, "tsv": 2, "jsonl": 1, "parquet": 0}[extension]
    wheres = [entry.where for entry in entries if isinstance(entry, ListedClip)]
    assert wheres == [f"{name}:{first + number}" for number in range(4)]
    assert listing.lists == {name}
    assert (listing.label_list, listing.class_map) == (None, None)


def test_a_manifest_elsewhere(tmp_path: Path, find: Find) -> None:
    (tmp_path / "data/b").mkdir(parents=True)
    (tmp_path / "data/b/c.flac").touch()
    (tmp_path / "data/not_named.wav").touch()
    path = write(tmp_path / "mine.tsv", ROWS[:2])
    source = walk_source(tmp_path / "data", (), Catalogue())
    clips, reasons = find(source, manifest.scan(source, path))
    assert [clip.path for clip in clips] == ["b/c.flac"]
    assert reasons == {"mine.tsv:2": Reason.MISSING, "not_named.wav": Reason.NOT_LISTED}


def test_the_only_table_with_the_columns(make_source: Make) -> None:
    audio = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = "name,path,labels\nx,a.wav,Dog\n"
    source = make_source(**{"clips.csv": table, "notes.csv": "a,b\n", "deep/other.csv": table})
    shard = pa.table({"path": ["a"], "labels": ["Dog"], "audio": pa.array([None], audio)})
    pq.write_table(shard, source.root / "shard.parquet")
    pq.write_table(shard, source.root / "manifest.parquet")
    source = walk_source(source.root, (), Catalogue())
    assert choose_layout(source, "manifest").name == "manifest"
    (clip,) = manifest.scan(source).found
    assert isinstance(clip, ListedClip)
    assert clip.where == "clips.csv:2"
    (source.root / "more.jsonl").write_text('{"path": "b.wav", "labels": "Cat"}\n')
    assert not manifest.matches(walk_source(source.root, (), Catalogue()))


def test_names_as_they_are(tmp_path: Path, find: Find) -> None:
    names = [
        '\u00fc "quoted"\n, name.wav',
        " leading.wav",
        "trailing .wav",
        "semi;colon.wav",
        "'.wav",
    ]
    for name in names:
        (tmp_path / name).touch()
    for extension in ("csv", "tsv", "jsonl", "parquet"):
        path = tmp_path / f"manifest.{extension}"
        write(path, [{"path": name, "labels": ["Dog"]} for name in names])
        source = walk_source(tmp_path, (), Catalogue())
        clips, reasons = find(source, manifest.scan(source))
        assert [clip.path for clip in clips] == names
        assert reasons == {}
        path.unlink()


def test_rows_that_are_wrong(tmp_path: Path) -> None:
    lines = [
        "path,labels,split,fold,start_seconds,end_seconds",
        "a.wav,Dog,train,1,0,1",
        ",Dog,train,1,0,1",
        "a.wav,Dog,holdout,1,0,1",
        "a.wav,Dog,train,1.5,0,1",
        "a.wav,Dog,train,-1,0,1",
        "a.wav,Dog,train,4294967296,0,1",
        "a.wav,Dog,train,1,-0.5,1",
        "a.wav,Dog,train,1,nan,1",
        "a.wav,Dog,train,1,0,inf",
        "a.wav,Dog,train,1,1_0,11",
        "a.wav,Dog,train,1,2,2",
        "a.wav,Dog,train,1,,0",
        "a.wav,Dog,train,1,0",
        "a.wav,Dog,Cat,train,1,0,1",
        "../a.wav,Dog,train,1,0,1",
        "/a.wav,Dog,train,1,0,1",
        "b.wav, ; ,,,,,,",
    ]
    entries = scan(tmp_path, "\n".join(lines))
    bad = [Reason.MALFORMED_ROW] * 13
    assert outcomes(entries) == [
        "a.wav",
        *bad,
        Reason.ESCAPES_FOLDER,
        Reason.ESCAPES_FOLDER,
        "b.wav",
    ]
    places = [e.where if isinstance(e, ListedClip) else e.source_path for e in entries]
    assert places == [f"manifest.csv:{line}" for line in range(2, 19)]
    assert isinstance(entries[-1], ListedClip)
    assert entries[-1].labels == ()


def test_objects_that_are_wrong(tmp_path: Path) -> None:
    lines = [
        b'{"path": "a.wav", "labels": "Dog;Cat"}',
        b'{"path": "b.wav", "labels": 7}',
        b'{"path": "\xc3\xbc.wav", "labels": []}',
        b"",
        b'{"path": "a.wav", "labels": ["Dog", {"a": 1}]}',
        b'{"path": "a.wav", "labels": [true]}',
        b'{"path": ["a.wav"], "labels": "Dog"}',
        b'{"labels": "Dog"}',
        b'{"path": "\\ud800.wav", "labels": "Dog"}',
        b'{"path": "a\\u0000.wav", "labels": "Dog"}',
        b'{"path": "\xff.wav", "labels": "Dog"}',
        b'{"path": "a.wav", "labels": "Dog", "fold": true}',
        b'{"path": "a.wav", "labels": "Dog", "end_seconds": 1e999}',
        b'{"path": "a.wav", "labels": "Dog", "end_seconds": ' + b"9" * 400 + b"}",
        b'{"path": "a.wav", "labels": "Dog", "end_seconds": ' + b"9" * 5000 + b"}",
        b'{"path": "a.wav", "labels": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"path": "a.wav"',
        b'["a.wav", "Dog"]',
        b"nul\0",
        b'{"path": "c.wav", "labels": "Dog", "remark": "' + b"x" * 3_000_000 + b'"}',
        b'{"path": "' + b"x" * 5000 + b'", "labels": "Dog"}',
        b'{"path": "a.wav", "labels": [' + b'"Dog",' * 5000 + b'"Dog"]}',
        b'{"path": "d.wav", "labels": "Dog"}',
    ]
    entries = scan(tmp_path, b"\n".join(lines), "manifest.jsonl")
    assert outcomes(entries) == [
        "a.wav",
        "b.wav",
        "\u00fc.wav",
        *[Reason.MALFORMED_ROW] * 18,
        "d.wav",
    ]
    assert [e.labels for e in entries[:3] if isinstance(e, ListedClip)] == [
        ("Dog", "Cat"),
        ("7",),
        (),
    ]


def test_a_line_of_text_that_is_none(tmp_path: Path) -> None:
    lines = [b"path,labels", b"a.wav,Dog", b"\xff.wav,Dog", b"b\0.wav,Dog"]
    lines += [b"c.wav," + b"x" * 200_000, b"d.wav,Dog" + b",x" * 1_000_000, b"e.wav,Dog"]
    entries = scan(tmp_path, b"\r".join(lines))  # and old line ends
    assert outcomes(entries) == ["a.wav", *[Reason.MALFORMED_ROW] * 4, "e.wav"]


def test_columns_of_the_wrong_kind(tmp_path: Path) -> None:
    path = tmp_path / "manifest.parquet"
    table = pa.table(
        {
            "path": pa.array(["a.wav", "b.wav"], pa.dictionary(pa.int32(), pa.large_string())),
            "labels": pa.array([["Dog"], None], pa.large_list(pa.string_view())),
            "split": pa.array([None, None], pa.null()),
            "fold": pa.array([1.0, 2.5]),
        }
    )
    pq.write_table(table, path)
    assert outcomes(scan(tmp_path, path.read_bytes(), path.name)) == ["a.wav", Reason.MALFORMED_ROW]
    table = table.set_column(0, "path", pa.array([b"a.wav", b"b.wav"]))
    pq.write_table(table, path)
    entries = scan(tmp_path, path.read_bytes(), path.name)
    assert outcomes(entries) == [Reason.MALFORMED_ROW] * 2


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("manifest.csv", b"", "has no column 'path'"),
        ("manifest.csv", b"path;labels\n", "has no column 'path'"),
        ("manifest.tsv", b"path\tlabel\n", "has no column 'labels'; it has"),
        ("manifest.csv", b"\xff\xfep\0a\0", "has no column 'path'"),
        ("manifest.parquet", b"PAR1", "is no Parquet file"),
    ],
)
def test_a_manifest_that_is_none(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    with pytest.raises(ArtifactError, match=re.escape(said)):
        scan(tmp_path, content, name)


def test_a_manifest_of_another_kind(make_source: Make, tmp_path: Path) -> None:
    source = make_source(**{"list.xlsx": ""})
    with pytest.raises(ArtifactError, match=r"is none of \.csv, \.tsv, \.jsonl, \.parquet"):
        manifest.scan(source, tmp_path / "list.xlsx")
    with pytest.raises(ArtifactError, match="cannot be read: No such file"):
        manifest.scan(source, tmp_path / "none.csv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> SourceFolder:
    root = tmp_path_factory.mktemp("any")
    return walk_source(root, (), Catalogue())


def places(source: SourceFolder, name: str, content: bytes) -> list[str]:
    (source.root / name).write_bytes(content)
    found = manifest.scan(source, source.root / name).found
    return [e.where if isinstance(e, ListedClip) else e.source_path for e in found]


SMALL = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SMALL
@given(lines=st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line)))
def test_every_json_line_is_accounted_for(folder: SourceFolder, lines: list[bytes]) -> None:
    expected = [n for n, line in enumerate([*lines, b"x"], start=1) if line.strip()]
    found = places(folder, "any.jsonl", b"\n".join([*lines, b"x"]))
    assert found == [f"any.jsonl:{number}" for number in expected]


PIECES = st.text(st.sampled_from('a,;"\\ /.-@1\t\u00fc\u2028\x85\x1c'), max_size=12)


@SMALL
@given(lines=st.lists(PIECES | st.binary(max_size=20).map(lambda b: b.decode("latin-1"))))
def test_every_csv_line_is_accounted_for(folder: SourceFolder, lines: list[str]) -> None:
    """Without quotes a row is a line, and what is broken in one says nothing of the next."""
    kept = [re.sub('["\r\n]', "", line) for line in lines]
    content = "\n".join(["path,labels", *kept, "good.wav,Dog"]).encode("latin-1", "replace")
    expected = [n for n, line in enumerate([*kept, "good"], start=2) if line]
    assert places(folder, "any.csv", content) == [f"any.csv:{number}" for number in expected]


@SMALL
@given(content=st.binary(max_size=200))
def test_any_bytes_after_a_header(folder: SourceFolder, content: bytes) -> None:
    for name, header in (("any.csv", b"path,labels\n"), ("any.tsv", b"path\tlabels\n")):
        found = places(folder, name, header + content)
        assert len(found) == len(set(found))
        assert bool(found) == bool(content.strip(b"\r\n"))


@SMALL
@given(st.lists(st.tuples(st.text(min_size=1), st.lists(st.text(min_size=1), max_size=3))))
def test_what_is_written_is_read(folder: SourceFolder, rows: list[tuple[str, list[str]]]) -> None:
    """Python's own CSV writer as the oracle: paths come back whole, or their rows are named."""
    written = [(path, labels) for path, labels in rows if "\0" not in path + "".join(labels)]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["path", "labels"])
    writer.writerows((path, ";".join(labels)) for path, labels in written)
    (folder.root / "any.csv").write_text(text.getvalue(), encoding="utf-8", newline="")
    found = list(manifest.scan(folder, folder.root / "any.csv").found)
    assert len(found) == len(written)
    for (path, labels), entry in zip(written, found, strict=True):
        inside = folder.inside(path)
        if isinstance(inside, Reason):
            assert isinstance(entry, Reject)
            assert entry.reason is inside
        else:
            assert isinstance(entry, ListedClip)
            assert entry.path == inside
            parts = [part.strip() for part in ";".join(labels).split(";")]
            assert entry.labels == tuple(dict.fromkeys(part for part in parts if part))
