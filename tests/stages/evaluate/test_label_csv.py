"""The list of labels that scores are for."""

from pathlib import Path

import pytest

from stages.errors import ArtifactError
from stages.evaluate.labels import read_label_csv


def test_audiosets_list(shared: Path) -> None:
    labels = read_label_csv(shared / "data" / "audioset" / "class_labels_indices.csv")
    assert len(labels) == 527
    assert labels.mids[0] == "/m/09x0r"
    assert labels.display_names[526] == "Field recording"


def test_columns_in_any_order_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text('display_name,mid,index,extra\n"A, b",/m/a,0,x\r\nB,/m/b,1,y\n', "utf-8-sig")
    labels = read_label_csv(path)
    assert labels.mids == ("/m/a", "/m/b")
    assert labels.display_names == ("A, b", "B")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has the columns None"),
        ("id,mid,display_name\n", "has the columns"),
        ("index,mid,display_name\n", "lists no labels"),
        ("index,mid,display_name\n1,/m/a,A\n", "line 2: index '1' where 0 is next"),
        ("index,mid,display_name\n0,/m/a,A\n2,/m/b,B\n", "line 3: index '2' where 1 is next"),
        ("index,mid,display_name\n0,/m/a,A\n0,/m/b,B\n", "line 3: index '0' where 1 is next"),
        ("index,mid,display_name\n0,/m/a,A\n\n1\n", "label 1 has no mid"),
        ("index,mid,display_name\n0,/m/a,A\n1,/m/a,B\n", "label 1 repeats mid '/m/a'"),
        ('index,mid,display_name\n0,/m/a,"A\n', "cannot be read as CSV"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(ArtifactError, match=message):
        read_label_csv(path)


def test_no_such_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be read as CSV"):
        read_label_csv(tmp_path / "absent.csv")
    path = tmp_path / "labels.csv"
    path.write_bytes(b"index,mid,display_name\n0,/m/\xff,A\n")
    with pytest.raises(ArtifactError, match="cannot be read as CSV"):
        read_label_csv(path)
