"""Scores from CSV and TSV files, as programs and people write them."""

import csv
from pathlib import Path

import numpy as np
import pytest

from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.predictions import Predictions, read_predictions

LABELS = Labels(("/m/dog", "/m/bark", "/m/cat"), ("Dog", "Bark, loud", "Cat"))
NARROW = "clip_id,scores,targets\n"
WIDE = 'clip_id,targets,Dog,"Bark, loud",Cat\n'


def read(
    folder: Path,
    content: str | bytes,
    name: str = "scores.csv",
    labels: Labels = LABELS,
    group_by: str | None = None,
) -> Predictions:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_predictions(path, labels, group_by)


@pytest.mark.parametrize(
    "cell",
    [
        "0.5 -1e-3 2",
        "  0.5   -0.001 2.0 ",
        '"0.5,-0.001,2"',
        '"[0.5, -0.001, 2.0]"',
        ' "[0.5, -0.001, 2.0]"',
        '"(0.5, -0.001, 2.0)"',
        '"[0.5,-0.001,2,]"',
        "0.5;-0.001;2",
        "[0.5; -0.001; 2]",
        '"[ 5.e-01 -1.e-03\n  2.e+00]"',
        '"[ 5.e-01 -1.e-03\r\n\t 2.e+00]"',
    ],
)
def test_lists_in_a_cell(tmp_path: Path, cell: str) -> None:
    found = read(tmp_path, f"{NARROW}a,{cell},0 2\n")
    assert found.scores.dtype == np.float64
    assert found.scores.tolist() == [[0.5, -0.001, 2.0]]
    assert found.targets.tolist() == [[True, False, True]]


def test_what_numpy_prints(tmp_path: Path) -> None:
    """An array's text has line breaks, and at most eight digits."""
    scores = np.random.default_rng(0).random((4, 3), dtype=np.float32)
    with (tmp_path / "scores.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["clip_id", "targets", "scores"])
        with np.printoptions(linewidth=20):
            for row, values in enumerate(scores):
                writer.writerow([f"clip{row}", np.array([row % 3]), values])
    assert "\n " in (tmp_path / "scores.csv").read_text()
    found = read_predictions(tmp_path / "scores.csv", LABELS)
    np.testing.assert_allclose(found.scores, scores, rtol=0, atol=1e-7)
    assert np.argmax(found.targets, axis=1).tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("", []),
        ("[]", []),
        ("  ", []),
        ("1", [1]),
        ("[1]", [1]),
        ('"0, 2"', [0, 2]),
        ("2;0", [0, 2]),
        ("/m/cat", [2]),
        ('"/m/cat,/m/dog"', [0, 2]),
    ],
)
def test_targets(tmp_path: Path, cell: str, expected: list[int]) -> None:
    found = read(tmp_path, f"{NARROW}a,1 2 3,{cell}\n")
    assert np.flatnonzero(found.targets[0]).tolist() == expected


@pytest.mark.parametrize(
    "header",
    [
        'clip_id,targets,Dog,"Bark, loud",Cat',
        "clip_id,targets,/m/dog,/m/bark,/m/cat",
        'clip_id,targets, /m/dog , "Bark, loud", Cat ',
    ],
)
def test_one_column_a_label(tmp_path: Path, header: str) -> None:
    found = read(tmp_path, f"{header}\na,0,0.5,0.25,0\nb,,1,0, 0.75 \n")
    assert found.clip_ids == ["a", "b"]
    assert found.scores.tolist() == [[0.5, 0.25, 0.0], [1.0, 0.0, 0.75]]
    assert found.targets.astype(int).tolist() == [[1, 0, 0], [0, 0, 0]]


def test_columns_in_any_place(tmp_path: Path) -> None:
    wide = '/m/dog,recording,"Bark, loud",clip_id,Cat,targets\n1,x,2,a,3,/m/bark\n'
    found = read(tmp_path, wide, group_by="recording")
    assert found.scores.tolist() == [[1, 2, 3]]
    assert found.groups == ["x"]
    assert found.targets.tolist() == [[False, True, False]]
    narrow = "targets,ignored,scores,clip_id\n1,x,1 2 3,a\n"
    assert read(tmp_path, narrow).scores.tolist() == [[1, 2, 3]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark(tmp_path: Path, end: str, mark: str) -> None:
    text = f"{mark}clip_id,scores,targets{end}é,1 2 3,0{end}{end},,{end}b,4 5 6,1"
    found = read(tmp_path, text)
    assert found.clip_ids == ["é", "b"]
    assert found.scores.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_tabs(tmp_path: Path) -> None:
    found = read(tmp_path, "clip_id\tscores\ttargets\na\t1,2,3\t0,1\n", "scores.TSV")
    assert found.scores.tolist() == [[1, 2, 3]]
    assert found.targets.tolist() == [[True, True, False]]
    wide = "clip_id\ttargets\tDog\tBark, loud\tCat\na, b\t\t1\t2\t3\n"
    assert read(tmp_path, wide, "scores.tsv").clip_ids == ["a, b"]


def test_one_label(tmp_path: Path) -> None:
    one = Labels(("/m/dog",), ("Dog",))
    for text in ("clip_id,scores,targets\na,0.5,0\n", "clip_id,Dog,targets\na,0.5,0\n"):
        found = read(tmp_path, text, labels=one)
        assert found.scores.tolist() == [[0.5]]
        assert found.targets.tolist() == [[True]]


def test_a_name_that_two_labels_share(tmp_path: Path) -> None:
    """By that name they cannot be told apart; by their mids they can."""
    twins = Labels(("/m/a", "/m/b", "/m/c"), ("Bass", "Drum", "Bass"))
    with pytest.raises(ArtifactError, match="label 0 is 'Bass', as is label 2") as caught:
        read(tmp_path, "clip_id,targets,Bass,Drum,Bass\na,0,1,2,3\n", labels=twins)
    assert "'/m/a' and '/m/c'" in str(caught.value.next_step)
    found = read(tmp_path, "clip_id,targets,/m/a,Drum,/m/c\na,0,1,2,3\n", labels=twins)
    assert found.scores.tolist() == [[1, 2, 3]]


def test_an_index_is_an_index_though_a_mid_is_a_number(tmp_path: Path) -> None:
    numbered = Labels(("2", "0", "x"), ("A", "B", "C"))
    found = read(tmp_path, f"{NARROW}a,1 2 3,0\n", labels=numbered)
    assert found.targets.tolist() == [[True, False, False]]


BAD = {
    "NaN": (
        f"{NARROW}a,1 2 3,0\nb,1 nan 3,0\n",
        r"score nan for label 1 \(clip_id 'b', label '/m/bark'\)",
    ),
    "infinite": (f"{WIDE}a,0,1,2,-Infinity\n", r"score -inf.*\(clip_id 'a', label '/m/cat'\)"),
    "beyond float64": (f"{WIDE}a,0,1e999,2,3\n", r"score inf.*\(clip_id 'a', label '/m/dog'\)"),
    "no score": (f"{WIDE}a,0,1,,3\n", r"line 2: clip 'a' has '' for label 1 \('/m/bark'\)"),
    "thousands": (f'{WIDE}a,0,1,"1,234.5",3\n', r"clip 'a' has '1,234.5' for label 1"),
    "thousands in a list": (f'{NARROW}a,"[1,234.5, 2, 3]",0\n', "clip 'a' has 4 scores for 3"),
    "decimal comma": (f'{WIDE}a,0,1,"0,5",3\n', "clip 'a' has '0,5' for label 1"),
    "decimal commas in a list": (f'{NARROW}a,"0,1 0,5 0,3",0\n', "clip 'a' has 6 scores for 3"),
    "underscore": (f"{WIDE}a,0,1,1_0,3\n", "clip 'a' has '1_0' for label 1"),
    "digits of another script": (f"{WIDE}a,0,1,٣,3\n", "clip 'a' has '٣' for label 1"),
    "percent": (f"{NARROW}a,1% 2% 3%,0\n", "clip 'a' has '1%' for label 0"),
    "numpy's scalars": (
        f'{NARROW}a,"[np.float32(0.1), 2, 3]",0\n',
        "'np.float32.0.1.' for label 0",
    ),
    "half a bracket": (f'{NARROW}a,"[1, 2, 3",0\n', r"clip 'a' has '\[1' for label 0"),
    "nested lists": (f'{NARROW}a,"[[1, 2, 3]]",0\n', r"clip 'a' has '\[1' for label 0"),
    "shortened": (f"{NARROW}a,[1 2 ... 3],0\n", r"clip 'a' has '\.\.\.' in its list: numpy has"),
    "too few": (f"{NARROW}a,1 2 3,0\nb,1 2,0\n", "clip 'b' has 2 scores for 3 labels"),
    "none": (f"{NARROW}a,,0\n", "clip 'a' has 0 scores for 3 labels"),
    "target out of range": (f"{NARROW}a,1 2 3,3\n", "clip 'a' has the target '3', .* 0 to 2 nor"),
    "negative target": (f"{NARROW}a,1 2 3,-1\n", "clip 'a' has the target '-1'"),
    "huge target": (f"{NARROW}a,1 2 3,{'9' * 5000}\n", "clip 'a' has the target '9{40}'"),
    "target of a fraction": (f"{NARROW}a,1 2 3,1.0\n", "clip 'a' has the target '1.0'"),
    "unknown mid": (f"{NARROW}a,1 2 3,/m/cow\n", "line 2: clip 'a' has the target '/m/cow'"),
    "target twice": (
        f"{NARROW}a,1 2 3,1 /m/bark\n",
        r"target 1 twice \(clip_id 'a', label '/m/bark'\)",
    ),
    "multi-hot targets": (
        f"{NARROW}a,1 2 3,2\nb,1 2 3,[0 1 0]\n",
        "the targets of clip 'b' look like 0 or 1 for each of the 3 labels",
    ),
    "target 0 twice": (f"{NARROW}a,1 2 3,[0 0]\n", r"target 0 twice \(clip_id 'a'"),
    "one score": (f"{NARROW}a,1,0\n", "clip 'a' has 1 score for 3 labels"),
    "clip twice": (f"{NARROW}a,1 2 3,0\na,1 2 3,0\n", "clip_id 'a' is there twice"),
    "no clip_id": (f"{NARROW}a,1 2 3,0\n ,1 2 3,0\n", "row 1 has no clip_id"),
    "no rows": (NARROW, "has no clips"),
    "empty": ("", r"has the columns \[\], not one 'clip_id'"),
    "only a mark": ("\ufeff\n\n", r"has the columns \[\]"),
    "column twice": ("clip_id,clip_id,scores,targets\na,a,1 2 3,0\n", "not one 'clip_id'"),
    "scores twice": ("clip_id,scores,scores,targets\na,1 2 3,1 2 3,0\n", "not one 'scores'"),
    "no targets": ("clip_id,scores\na,1 2 3\n", "not one 'targets'"),
    "semicolons": (
        "clip_id;scores;targets\na;1 2 3;0\n",
        "the one column 'clip_id;scores;targets': is it parted by semicolons",
    ),
    "long row": (f"{NARROW}a,1 2 3,0\nb,1 2 3,0,1\n", "line 3 has 4 cells, the header 3"),
    "short row": (f"{NARROW}a,1 2 3\n", "line 2 has 2 cells, the header 3"),
    "list without quotes": (f"{NARROW}a,[1, 2, 3],0\n", "line 2 has 5 cells"),
    "open quote": (f'{NARROW}a,"1 2 3,0\nb,1 2 3,0\n', "line 3 cannot be read: unexpected end"),
    "text after a quote": (f'{NARROW}a,"1 2 3"4,0\n', "line 2 cannot be read"),
    "NUL": (f"{NARROW}a,1 2 3,0\nb\0,1 2 3,0\n", "line 3 cannot be read: a NUL"),
    "UTF-16": (f"{NARROW}a,1 2 3,0\n".encode("utf-16"), "scores.csv is UTF-16 text"),
    "UTF-16 without a mark": (f"{NARROW}a,1 2 3,0\n".encode("utf-16-be"), "a NUL, which no UTF-8"),
    "Latin-1": (f"{NARROW}é,1 2 3,0\n".encode("latin-1"), "is no UTF-8 text"),
    "cell beyond all measure": (f"{NARROW}a,{'1 ' * 100_000},0\n", "field larger than field limit"),
    "line beyond all measure": ("a" * (1 << 22), "line 1 cannot be read: a line of more than"),
    "huge header": (",".join(["x"] * 100_000), "not one 'clip_id'"),
    "one label more": (
        "clip_id,targets,/m/dog,/m/bark,/m/cat,/m/cow\na,0,1,2,3,4\n",
        r"has 1 column beside those of the 3 labels: \['/m/cow'\]",
    ),
    "one label less": (
        "clip_id,targets,/m/dog,/m/bark\na,0,1,2\n",
        r"label 2 is missing, that of the label list is '/m/cat' \(Cat\)",
    ),
    "label twice": (
        "clip_id,targets,/m/dog,/m/dog,/m/cat\na,0,1,2,3\n",
        r"label 1 is '/m/dog', that of the label list is '/m/bark' \(Bark, loud\)",
    ),
    "another order": (
        "clip_id,targets,Cat,/m/bark,Dog\na,0,1,2,3\n",
        "label 0 is 'Cat'.*same labels in another order",
    ),
    "a column of something else": (
        "clip_id,targets,split,/m/dog,/m/bark,/m/cat\na,0,eval,1,2,3\n",
        r"has 1 column beside those of the 3 labels: \['split'\]",
    ),
    "two of something else": (
        "chan,clip_id,targets,/m/dog,/m/bark,/m/cat,fold\n1,a,0,1,2,3,4\n",
        r"has 2 columns beside those of the 3 labels: \['chan', 'fold'\]",
    ),
    "something else in place of a label": (
        "clip_id,targets,/m/dog,chan,/m/cat\na,0,1,2,3\n",
        "label 1 is 'chan', that of the label list is '/m/bark'",
    ),
    "the index of pandas": (
        ",clip_id,targets,/m/dog,/m/bark,/m/cat\n0,a,0,1,2,3\n",
        "its first column has no name, as the index that pandas writes",
    ),
    "the index of pandas, read and written again": (
        "Unnamed: 0,clip_id,targets,/m/dog,/m/bark\n0,a,0,1,2\n",
        "its first column has no name",
    ),
    "no scores": (
        "clip_id,targets\na,0\n",
        "has no scores: its columns are .'clip_id', 'targets'.",
    ),
    "misspelt scores": ("clip_id,targets,score\na,0,1 2 3\n", "has no scores: its columns"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_named(tmp_path: Path, name: str) -> None:
    content, message = BAD[name]
    with pytest.raises(ArtifactError, match=message) as caught:
        read(tmp_path, content)
    assert str(tmp_path / "scores.csv") in caught.value.message
    assert caught.value.next_step
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 500 + len(str(tmp_path))


@pytest.mark.parametrize("column", ["", "  "])
def test_a_clip_without_a_group(tmp_path: Path, column: str) -> None:
    with pytest.raises(ArtifactError, match="clip 'a' has nothing in column 'take'"):
        read(tmp_path, f"clip_id,scores,targets,take\na,1 2 3,0,{column}\n", group_by="take")


def test_groups_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="not one 'take'") as caught:
        read(tmp_path, f"{NARROW}a,1 2 3,0\n", group_by="take")
    assert "leave out --group-by" in str(caught.value.next_step)
    text = 'fold,site,clip_id,targets,Dog,"Bark, loud",Cat\n1,x,a,0,1,2,3\n'
    with pytest.raises(ArtifactError, match="not one 'take'") as caught:
        read(tmp_path, text, group_by="take")
    assert str(caught.value.next_step).endswith("text or whole numbers: 'fold', 'site'")


def test_the_scores_of_a_label_are_no_groups(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="column 'Dog' has the scores of a label"):
        read(tmp_path, f"{WIDE}a,0,1,2,3\n", group_by="Dog")
    narrow = "clip_id,targets,scores,Dog\na,0,1 2 3,x\n"
    assert read(tmp_path, narrow, group_by="Dog").groups == ["x"]


@pytest.mark.parametrize(
    ("content", "name", "next_step"),
    [
        (NARROW + "a,1,[np.int64(72)]\n", "x.csv", '" ".join(map(str, indices))'),
        (NARROW + "a,[np.float32(0.5) 1 2],0\n", "x.csv", '" ".join(map(str, numbers))'),
        (NARROW + "a,1 2 3,1 0 1\n", "x.csv", "row.nonzero()[0]"),
        ("clip_id;scores;targets\n", "x.csv", "save it with commas"),
        ("clip_id\tscores\ttargets\n", "x.csv", "the suffix .tsv"),
        (NARROW, "x.tsv", "the suffix .csv"),
        (NARROW.encode("utf-16"), "x.csv", "save it as UTF-8"),
        (",clip_id,targets,Dog\n0,a,0,1\n", "x.csv", "to_csv(FILE, index=False)"),
        ("chan," + WIDE + "1,a,0,1,2,3\n", "x.csv", "drop what is no score"),
        ("clip_id,targets\na,0\n", "x.csv", "scores one column a label"),
    ],
)
def test_what_to_do_is_said(
    tmp_path: Path, content: str | bytes, name: str, next_step: str
) -> None:
    one = Labels(("/m/dog",), ("Dog",)) if "np.int64" in str(content) else LABELS
    with pytest.raises(ArtifactError) as caught:
        read(tmp_path, content, name, one)
    assert next_step in str(caught.value.next_step)


@pytest.mark.parametrize("mark", [";", ","])
def test_long_headers_are_cut(tmp_path: Path, mark: str) -> None:
    header = mark.join(["x" * 200] * 50)
    with pytest.raises(ArtifactError) as caught:
        read(tmp_path, f"{header}\n")
    assert len(caught.value.message) < 650 + len(str(tmp_path))
    assert "x" * 60 in caught.value.message
    assert "x" * 61 not in caught.value.message
    assert "...'" in caught.value.message


def test_only_so_many_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"columns \['0', .*'7', \.\.\.\], not one 'clip_id'"):
        read(tmp_path, ",".join(map(str, range(9))) + "\n")
    with pytest.raises(ArtifactError, match=r"columns \['0', .*'7'\], not one 'clip_id'"):
        read(tmp_path, ",".join(map(str, range(8))) + "\n")


def test_a_line_of_scores_that_begins_with_a_hash_is_a_clip(tmp_path: Path) -> None:
    assert read(tmp_path, f"{NARROW}#1,1 2 3,0\n").clip_ids == ["#1"]


def test_what_the_documentation_writes_with_pandas(tmp_path: Path) -> None:
    """Every digit is kept. (pandas itself is not needed: it writes these cells as csv does.)"""
    scores = np.random.default_rng(0).random((5, 3), dtype=np.float32)
    targets = scores > 0.5
    with (tmp_path / "scores.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["clip_id", "targets", "scores"])
        for row in range(5):
            indices = " ".join(map(str, targets[row].nonzero()[0]))
            writer.writerow([f"clip{row}", indices, " ".join(map(str, scores[row]))])
    found = read_predictions(tmp_path / "scores.csv", LABELS)
    np.testing.assert_array_equal(found.scores.astype(np.float32), scores)
    np.testing.assert_array_equal(found.targets, targets)


def test_no_such_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be read: No such file"):
        read_predictions(tmp_path / "scores.csv", LABELS)
    (tmp_path / "scores.csv").mkdir()
    with pytest.raises(ArtifactError, match="cannot be read: Is a directory"):
        read_predictions(tmp_path / "scores.csv", LABELS)
