"""The file that lists the clips to evaluate on."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.errors import ArtifactError
from stages.evaluate.clip_list import read_clip_list


def listed(folder: Path, name: str, content: str | bytes) -> tuple[str, ...]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_clip_list(path)


@pytest.mark.parametrize("name", ["clips.txt", "clips", "clips.lst"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("header", ["", "clip_id", "YTID", "ytid"])
def test_text(tmp_path: Path, name: str, end: str, mark: str, header: str) -> None:
    content = mark + end.join(
        ["# a comment, of ours", header, "b", "# another", "", " a, é ", "b", "c"]
    )
    assert listed(tmp_path, name, content) == ("b", "a, é", "c")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", 'clip_id,scores\nb,1 2\n\n"a, é",3 4\nb,1 2\n'),
        ("x.CSV", '\ufeffduration, clip_id \r\n1,b\r\n2, "a, é"\r\n'),
        ("x.tsv", "split\tclip_id\neval\tb\neval\ta, é\n"),
        ("x.csv", 'clip_id\nb\n"a, é"\n'),
        ("x.csv", 'b\n"a, é"\n'),
        ("x.tsv", "b\na, é"),
        ("x.csv", 'YTID\nb\n"a, é"\n'),
        ("x.csv", 'ytid,split\nb,eval\n"a, é",eval\n'),
        ("x.csv", '# one, "two" three\n\n# "\nb\n# more, of it\n"a, é"\n'),
        ("x.csv", '\ufeff# scores, of 2\nscores,clip_id\n1,b\n2,"a, é"\n'),
    ],
)
def test_csv(tmp_path: Path, name: str, content: str) -> None:
    assert listed(tmp_path, name, content) == ("b", "a, é")


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["b", "a", "b"]),
        pa.array(["b", "a", "b"], pa.large_string()),
        pa.array(["b", "a", "b"]).dictionary_encode(),
    ],
)
def test_parquet(tmp_path: Path, column: pa.Array) -> None:
    pq.write_table(pa.table({"other": [1, 2, 3], "clip_id": column}), tmp_path / "x.pq")
    assert read_clip_list(tmp_path / "x.pq") == ("b", "a")


def test_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", clip_id=np.array([7, 3]), scores=np.zeros((2, 5)))
    assert read_clip_list(tmp_path / "x.npz") == ("7", "3")


SEGMENTS = """# Segments csv created Sun Mar  5 10:54:25 2017
# num_ytids=2, num_segs=2, num_unique_labels=2, num_positive_labels=3
# YTID, start_seconds, end_seconds, positive_labels
--4gqARaEJE, 0.000, 10.000, "/m/068hy,/m/07q6cd_"
-0RWZT-miFs, 420.000, 430.000, "/m/03v3yw"
"""


def test_segments_as_audioset_publishes_them(tmp_path: Path) -> None:
    expected = ("--4gqARaEJE", "-0RWZT-miFs")
    assert listed(tmp_path, "x.csv", SEGMENTS) == expected
    assert listed(tmp_path, "x.csv", SEGMENTS.replace("# YTID", "YTID")) == expected


def test_audiosets_own_list(shared: Path) -> None:
    """20,371 segments, as its third line says."""
    found = read_clip_list(shared / "data" / "audioset" / "eval_segments.csv")
    assert len(found) == 20_371
    assert (found[0], found[-1]) == ("--4gqARaEJE", "zzbTaK7CXJY")


def test_a_hash_below_a_header_or_in_quotes_is_text(tmp_path: Path) -> None:
    assert listed(tmp_path, "x.csv", "clip_id,scores\n#1,1 2\n#2,3 4\n") == ("#1", "#2")
    assert listed(tmp_path, "x.csv", '"#1"\n#2\n"a\n# b"\n') == ("#1", "a\n# b")


BAD = {
    "only comments": ("x.csv", "# a\n# b, c\n", "lists no clips"),
    "only comments in a text": ("x.txt", "# a\n", "lists no clips"),
    "only a header in a text": ("x.txt", "clip_id\n", "lists no clips"),
    "no seconds": ("x.csv", "a,0,x,/m/dog\n", r"columns \['a', '0', 'x', '/m/dog'\], not one"),
    "empty text": ("x.txt", "", "lists no clips"),
    "blank text": ("x.txt", "\n  \n", "lists no clips"),
    "empty CSV": ("x.csv", "", "lists no clips"),
    "only a header": ("x.csv", "clip_id,split\n", "lists no clips"),
    "no column": ("x.csv", "file,split\na,eval\n", r"\['file', 'split'\], not one 'clip_id'"),
    "column twice": ("x.csv", "clip_id,clip_id\na,b\n", "not one 'clip_id'"),
    "ragged": ("x.csv", "clip_id,split\na\n", "line 2 has 1 cell, the header 2"),
    "ragged list": ("x.csv", "a\nb,c\n", "line 2 has 2 cells"),
    "no id": ("x.csv", "clip_id,split\na,eval\n,eval\n", "row 1 has no clip_id"),
    "Latin-1": ("x.txt", "é\n".encode("latin-1"), "is no UTF-8 text"),
    "NUL": ("x.txt", "a\nb\0\n", "line 2 cannot be read: a NUL"),
    "one line beyond all measure": ("x.txt", b"a" * (1 << 22), "line 1 cannot be read"),
    "an archive": ("x.txt", b"PK\x03\x04\0\0", "line 1 cannot be read: a NUL"),
    "no Parquet": ("x.parquet", "clip_id\na\n", "cannot be read as Parquet"),
    "no npz": ("x.npz", "clip_id\na\n", "cannot be read as npz"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_lists_are_named(tmp_path: Path, name: str) -> None:
    file, content, message = BAD[name]
    with pytest.raises(ArtifactError, match=message) as caught:
        listed(tmp_path, file, content)
    assert str(tmp_path / file) in caught.value.message


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"clip": ["a"]}, r"\['clip'\], not one 'clip_id'"),
        ({"clip_id": [1, 2]}, "column 'clip_id' is int64"),
        ({"clip_id": ["a", None]}, "row 1 has no clip_id"),
        ({"clip_id": ["a", ""]}, "row 1 has no clip_id"),
        ({"clip_id": pa.array([], pa.string())}, "lists no clips"),
        ({"clip_id": ["a" * 2_000_000]}, "column 'clip_id' takes"),
    ],
)
def test_bad_parquet_lists(tmp_path: Path, column: dict[str, object], message: str) -> None:
    pq.write_table(pa.table(column), tmp_path / "x.parquet")
    with pytest.raises(ArtifactError, match=message):
        read_clip_list(tmp_path / "x.parquet")


def test_what_a_list_may_be_is_said(tmp_path: Path) -> None:
    for content in ("file,split\na,eval\n", "clip_id,clip_id\na,b\n", ""):
        with pytest.raises(ArtifactError) as caught:
            listed(tmp_path, "x.csv", content)
        assert "a text with one id a line; a CSV with a column clip_id" in str(
            caught.value.next_step
        )


@pytest.mark.parametrize("name", ["x.txt", "x.csv", "x.parquet", "x.npz"])
def test_no_such_file_and_a_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArtifactError, match=f"{name} cannot be read: No such file"):
        read_clip_list(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(ArtifactError, match=f"{name} cannot be read: Is a directory"):
        read_clip_list(tmp_path / name)
