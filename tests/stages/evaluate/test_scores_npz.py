"""Scores from npz files, among them some that no numpy has written."""

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.predictions import Predictions, read_predictions

LABELS = Labels(("/m/dog", "/m/bark", "/m/cat"), ("Dog", "Bark", "Cat"))
SCORES = np.array([[0.9, 0.8, 0.1], [0.2, 0.1, 0.7]])
TARGETS = np.array([[1, 1, 0], [0, 0, 0]])


def arrays(**changes: Any) -> dict[str, Any]:
    given = {"clip_id": np.array(["a", "b"]), "scores": SCORES, "targets": TARGETS, **changes}
    return {name: value for name, value in given.items() if value is not None}


def read(folder: Path, group_by: str | None = None, **changes: Any) -> Predictions:
    path = folder / "scores.npz"
    np.savez(path, **arrays(**changes))
    return read_predictions(path, LABELS, group_by)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_is_read(tmp_path: Path, save: Any, dtype: str, order: Any) -> None:
    """Precision is kept; byte order and memory order are this machine's."""
    path = tmp_path / "scores.npz"
    save(path, **arrays(scores=np.array(SCORES, dtype, order=order)))
    found = read_predictions(path, LABELS)
    assert found.clip_ids == ["a", "b"]
    assert found.scores.dtype == np.dtype(dtype).newbyteorder("=")
    assert found.scores.dtype.isnative
    np.testing.assert_array_equal(found.scores, SCORES.astype(dtype))
    np.testing.assert_array_equal(found.targets, TARGETS.astype(bool))
    assert found.groups is None


@pytest.mark.parametrize("dtype", ["?", "i1", "u8", ">i4", "f2", "f8"])
def test_targets_of_any_type(tmp_path: Path, dtype: str) -> None:
    found = read(tmp_path, targets=TARGETS.astype(dtype))
    assert found.targets.dtype == np.bool_
    np.testing.assert_array_equal(found.targets, TARGETS.astype(bool))


@pytest.mark.parametrize("dtype", ["i1", "u2", ">i8"])
def test_one_label_a_clip(tmp_path: Path, dtype: str) -> None:
    found = read(tmp_path, targets=np.array([2, 0], dtype))
    assert found.targets.tolist() == [[False, False, True], [True, False, False]]


@pytest.mark.parametrize("dtype", ["?", "i1", "u8"])
def test_hard_decisions(tmp_path: Path, dtype: str) -> None:
    found = read(tmp_path, scores=TARGETS.astype(dtype))
    assert found.scores.dtype == np.float64
    np.testing.assert_array_equal(found.scores, TARGETS)


@pytest.mark.parametrize(
    ("clip_id", "expected"),
    [
        (np.array([7, 8], ">i2"), ["7", "8"]),
        (np.array(["é", "b"], ">U1"), ["é", "b"]),
        (np.array(["é".encode(), b"b"]), ["é", "b"]),
    ],
)
def test_names_of_any_type(tmp_path: Path, clip_id: Any, expected: list[str]) -> None:
    assert read(tmp_path, clip_id=clip_id).clip_ids == expected
    assert read(tmp_path, "take", take=clip_id).groups == expected


@pytest.mark.parametrize("labels", [LABELS.mids, LABELS.display_names])
def test_labels_that_the_file_states(tmp_path: Path, labels: tuple[str, ...]) -> None:
    assert read(tmp_path, labels=np.array(labels)).clip_ids == ["a", "b"]
    with pytest.raises(ArtifactError, match="same labels in another order"):
        read(tmp_path, labels=np.array(labels[::-1]))
    with pytest.raises(ArtifactError, match="label 2 is missing"):
        read(tmp_path, labels=np.array(labels[:2]))


def changed(values: Any, place: tuple[int, int], value: float) -> Any:
    values = np.array(values)
    values[place] = value
    return values


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "NaN": (
        {"scores": changed(SCORES, (1, 2), np.nan)},
        r"score nan for label 2 \(clip_id 'b', label '/m/cat'\)",
    ),
    "infinite": (
        {"scores": changed(SCORES, (0, 1), -np.inf)},
        r"score -inf for label 1 \(clip_id 'a', label '/m/bark'\)",
    ),
    "too wide": ({"scores": np.zeros((2, 4))}, r"shape \(2, 4\), where \(2, 3\) is needed"),
    "transposed": ({"scores": SCORES.T}, r"'scores' has shape \(3, 2\), where \(2, 3\)"),
    "too few clips": ({"scores": SCORES[:1]}, r"shape \(1, 3\), where \(2, 3\)"),
    "one dimension": ({"scores": SCORES[0]}, r"shape \(3,\), where \(2, 3\)"),
    "no dimension": ({"scores": 0.5}, r"shape \(\), where \(2, 3\)"),
    "text scores": ({"scores": SCORES.astype(str)}, "'scores' is <U32, not numbers"),
    "complex scores": ({"scores": SCORES.astype(complex)}, "array 'scores' is complex128"),
    "dates": ({"scores": np.zeros((2, 3), "M8[s]")}, r"array 'scores' is datetime64\[s\]"),
    "records": ({"scores": np.zeros((2, 3), [("x", "f4")])}, "array 'scores' is"),
    "targets out of 0 and 1": (
        {"targets": changed(TARGETS, (1, 0), 2)},
        r"clip 'b' has target 2 for label 0 \('/m/dog'\), not 0 or 1",
    ),
    "targets of NaN": (
        {"targets": changed(TARGETS.astype(float), (0, 2), np.nan)},
        r"clip 'a' has target nan for label 2",
    ),
    "soft targets": ({"targets": TARGETS * 0.5}, "clip 'a' has target 0.5 for label 0"),
    "text targets": ({"targets": TARGETS.astype(str)}, r"array 'targets' is <U21 \(2, 3\)"),
    "targets of another shape": ({"targets": TARGETS[:, :2]}, r"'targets' has shape \(2, 2\)"),
    "too few single targets": ({"targets": np.array([1])}, r"'targets' has shape \(1,\)"),
    "single targets of fractions": ({"targets": np.array([1.0, 2.0])}, "'targets' is float64"),
    "single target out of range": (
        {"targets": np.array([1, 3])},
        r"has target 3; with 3 labels, 0 to 2 are possible \(clip_id 'b'\)",
    ),
    "negative single target": ({"targets": np.array([-1, 1])}, r"target -1.*clip_id 'a'"),
    "clip twice": ({"clip_id": np.array(["a", "a"])}, "clip_id 'a' is there twice"),
    "no clip_id": ({"clip_id": np.array(["a", ""])}, "row 1 has no clip_id"),
    "half a pair": ({"clip_id": np.array(["a", "\ud800"])}, "row 1 has the clip_id .* no Unicode"),
    "no UTF-8": ({"clip_id": np.array([b"a", b"\xff"])}, "'clip_id' holds what is no Unicode"),
    "a very long name": ({"clip_id": np.array(["a", "b" * 5000])}, "array 'clip_id' is <U5000"),
    "clips of fractions": ({"clip_id": np.array([1.0, 2.0])}, "'clip_id' is float64 of shape"),
    "clips in two dimensions": ({"clip_id": np.array([["a"], ["b"]])}, r"shape \(2, 1\)"),
    "no clips": (
        {"clip_id": np.array([], "U1"), "scores": SCORES[:0], "targets": TARGETS[:0]},
        "has no clips",
    ),
    "no scores": ({"scores": None}, r"has the arrays \['clip_id', 'targets'\], not one 'scores'"),
    "labels of numbers": ({"labels": np.array([0.0, 1.0, 2.0])}, "array 'labels' is float64"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_named(tmp_path: Path, name: str) -> None:
    changes, message = BAD[name]
    with pytest.raises(ArtifactError, match=message) as caught:
        read(tmp_path, **changes)
    assert str(tmp_path / "scores.npz") in caught.value.message
    assert caught.value.next_step
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", ["clip_id", "scores", "targets", "labels", "take"])
def test_objects_are_not_unpickled(tmp_path: Path, name: str) -> None:
    class Opened:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    with pytest.raises(ArtifactError, match=f"array '{name}' holds Python objects"):
        read(tmp_path, "take", **{"take": np.array(["x", "y"]), name: np.array([Opened(), None])})
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("take", "message"),
    [
        (None, "not one 'take'"),
        (np.array(["x"]), r"'take' is <U1 of shape \(1,\); one text or whole number for each of 2"),
        (np.array(["x", ""]), "clip 'b' has no take"),
        (np.array([0.5, 1.5]), "array 'take' is float64"),
    ],
)
def test_bad_groups(tmp_path: Path, take: Any, message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        read(tmp_path, "take", take=take)


@pytest.mark.parametrize("name", ["take", "loudness", "scores_of_another", "short"])
def test_what_clips_can_be_grouped_by(tmp_path: Path, name: str) -> None:
    """Not by what is no name of each clip, nor by what cannot be read."""
    more = {
        "site": np.array(["x", "y"]),
        "fold": np.array([1, 2]),
        "loudness": np.array([0.5, 1.5]),
        "scores_of_another": SCORES,
        "short": np.array(["x"]),
        "objects": np.array([None, None]),
        "labels": np.array(LABELS.mids),
    }
    with pytest.raises(ArtifactError, match=f"'{name}'") as caught:
        read(tmp_path, name, **more)
    assert str(caught.value.next_step).endswith("text or whole numbers: 'site', 'fold'")


def test_no_array_to_group_by(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as caught:
        read(tmp_path, "take")
    assert str(caught.value.next_step).startswith("leave out --group-by")


@pytest.mark.parametrize("name", ["clip_id", "labels", "take"])
def test_text_as_objects(tmp_path: Path, name: str) -> None:
    """As pandas has it."""
    text = np.array(["x", "y"], dtype=object)
    with pytest.raises(ArtifactError, match=f"array '{name}' holds Python objects") as caught:
        read(tmp_path, "take", **{"take": np.array(["x", "y"]), name: text})
    assert str(caught.value.next_step).startswith(f"write {name}={name}.astype(str)")


def npy(header: bytes, values: bytes = b"", version: int = 1, claimed: int | None = None) -> bytes:
    """The bytes of an array with this header, whose length is given as `claimed`."""
    length = len(header) if claimed is None else claimed
    packed = struct.pack("<H" if version == 1 else "<I", length)
    return b"\x93NUMPY" + bytes([version, 0]) + packed + header + values


def header(shape: str, descr: str = "'<f8'") -> bytes:
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()


def read_with_scores(folder: Path, content: bytes, **options: Any) -> Predictions:
    """Read a file in which `content` is the member of the scores."""
    path = folder / "scores.npz"
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, value in arrays(scores=None).items():
            buffer = io.BytesIO()
            np.save(buffer, value)
            archive.writestr(f"{name}.npy", buffer.getvalue())
        archive.writestr("scores.npy", content)
    return read_predictions(path, LABELS)


WHOLE = SCORES.tobytes()
BROKEN = {
    "empty": (b"", "cut off"),
    "no magic": (b"x" * 200, "magic string"),
    "version 3": (npy(header("(2, 3)"), WHOLE, version=3), "version 3"),
    "header beyond the end": (npy(header("(2, 3)"), claimed=8000), "cut off"),
    "huge header": (npy(header("(2, 3)"), version=2, claimed=2**32 - 1), "header is 4294967307"),
    "no header": (npy(b"", b"0123456789"), "header is 10 bytes"),
    "code": (npy(b"__import__('os').abort()\n"), "cannot be read"),
    "deep nesting": (npy(b"(" * 8000), "cannot be read"),
    "unhashable key": (npy(b"{[]: 1}\n"), "cannot be read"),
    "open string": (npy(b"{'descr: '''\n"), "cannot be read"),
    "more than there is": (npy(header("(2, 3000000000)"), WHOLE), r"not \(2, 3000000000\) of"),
    "more than any machine has": (npy(header(f"({2**62}, {2**62})"), WHOLE), "values are not"),
    "less than there is": (npy(header("(2, 2)"), WHOLE), r"its values are not \(2, 2\) of float64"),
    "negative": (npy(header("(-2, -3)"), WHOLE), r"shape is \(-2, -3\)"),
    "nothing of no size": (npy(header("(2, 3)", "'<U0'")), "is <U0"),
    "long double": (npy(header("(2, 3)", "'<f16'"), WHOLE + WHOLE), "array 'scores' (is|cannot)"),
    "object": (npy(header("(2, 3)", "'|O'"), b"cos\nabort\n"), "holds Python objects"),
    "object in a record": (npy(header("(2, 3)", "[('x', '|O')]"), WHOLE), "holds Python objects"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_arrays_that_numpy_has_not_written(tmp_path: Path, name: str) -> None:
    content, message = BROKEN[name]
    with pytest.raises(ArtifactError, match=message) as caught:
        read_with_scores(tmp_path, content)
    assert "array 'scores'" in caught.value.message
    assert "\n" not in caught.value.message


def test_what_the_broken_ones_are_beside(tmp_path: Path) -> None:
    """The same bytes, whole, are read."""
    for version in (1, 2):
        content = npy(header("(2, 3)"), WHOLE, version)
        np.testing.assert_array_equal(read_with_scores(tmp_path, content).scores, SCORES)


def test_a_boolean_is_0_or_1_whatever_its_byte(tmp_path: Path) -> None:
    path = tmp_path / "scores.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in arrays(targets=None).items():
            buffer = io.BytesIO()
            np.save(buffer, value)
            archive.writestr(f"{name}.npy", buffer.getvalue())
        content = npy(header("(2, 3)", "'|b1'"), bytes([0, 1, 2, 255, 0, 0]))
        archive.writestr("targets.npy", content)
    found = read_predictions(path, LABELS)
    assert found.targets.view(np.uint8).tolist() == [[0, 1, 1], [1, 0, 0]]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_numpy_does_not_use(tmp_path: Path, method: int) -> None:
    with pytest.raises(ArtifactError, match="compressed in a way that numpy does not use"):
        read_with_scores(tmp_path, npy(header("(2, 3)"), WHOLE), compression=method)


def test_a_size_that_the_file_cannot_hold(tmp_path: Path) -> None:
    """The directory of the zip file is made to claim 2 GB for an array of 48 bytes."""
    content = npy(header("(2, 3)"), WHOLE)
    read_with_scores(tmp_path, content)
    path = tmp_path / "scores.npz"
    claimed = path.read_bytes().replace(
        struct.pack("<II", len(content), len(content)), struct.pack("<II", 2**31, 2**31)
    )
    path.write_bytes(claimed)
    with pytest.raises(ArtifactError, match="claims 2147483648 bytes, more than the file can hold"):
        read_predictions(path, LABELS)


def test_a_bomb_is_not_read(tmp_path: Path) -> None:
    """64 MiB of zeros in 64 kB: the header alone says that they are not the scores of two clips."""
    content = npy(header("(2, 4194304)"), bytes(64 << 20))
    with pytest.raises(ArtifactError, match=r"shape \(2, 4194304\), where \(2, 3\) is needed"):
        read_with_scores(tmp_path, content, compression=zipfile.ZIP_DEFLATED)
    assert (tmp_path / "scores.npz").stat().st_size < 100_000


def test_more_than_memory_can_be_expected_to_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stages.evaluate.scores_file.npz_arrays.MOST_SCORE_BYTES", 176)
    assert len(read(tmp_path, scores=SCORES.astype("f4")).clip_ids) == 2
    monkeypatch.setattr("stages.evaluate.scores_file.npz_arrays.MOST_SCORE_BYTES", 175)
    with pytest.raises(ArtifactError, match="array 'targets' claims 176 bytes, which is too much"):
        read(tmp_path, scores=SCORES.astype("f4"))


def test_damage_is_noticed(tmp_path: Path) -> None:
    """A changed score does not fit the checksum."""
    path = tmp_path / "scores.npz"
    np.savez(path, **arrays())
    content = path.read_bytes()
    path.write_bytes(content.replace(SCORES.tobytes(), (SCORES / 2).tobytes()))
    with pytest.raises(ArtifactError, match="array 'scores' cannot be read: Bad CRC-32"):
        read_predictions(path, LABELS)


def test_an_array_that_is_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "scores.npz"
    np.savez(path, **arrays())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("scores", b"")
    with pytest.raises(ArtifactError, match="not one 'scores'"):
        read_predictions(path, LABELS)


def test_no_file_no_zip_and_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "scores.npz"
    with pytest.raises(ArtifactError, match="cannot be read: No such file"):
        read_predictions(path, LABELS)
    for content in (b"", b"clip_id,scores\n", b"PK\x05\x06" + bytes(10)):
        path.write_bytes(content)
        with pytest.raises(ArtifactError, match="as npz: it is no zip file, or cut off"):
            read_predictions(path, LABELS)
    path.unlink()
    path.mkdir()
    with pytest.raises(ArtifactError, match="cannot be read: Is a directory"):
        read_predictions(path, LABELS)


@given(cut=st.floats(0, 1), places=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255))))
def test_any_damage_is_an_error_of_ours_or_none(
    tmp_path_factory: pytest.TempPathFactory, cut: float, places: list[tuple[float, int]]
) -> None:
    path = tmp_path_factory.mktemp("npz") / "scores.npz"
    np.savez_compressed(path, **arrays())
    content = bytearray(path.read_bytes())
    for place, value in places:
        content[int(place * (len(content) - 1))] = value
    path.write_bytes(content[: len(content) - int(cut * 40)] if cut > 0.5 else content)
    try:
        found = read_predictions(path, LABELS)
    except ArtifactError:
        return
    np.testing.assert_array_equal(found.scores, SCORES)
