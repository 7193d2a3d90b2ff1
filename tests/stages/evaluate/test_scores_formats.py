"""The same predictions in every format are the same predictions."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.predictions import Predictions, read_predictions
from stages.evaluate.scores_file.write import write_scores
from stages.evaluate.settings import SCORE_SUFFIXES
from stages.lineage import Lineage

Scores = NDArray[np.float64]
Write = Callable[[Path, list[str], Scores, NDArray[np.bool_], Labels], Path]


def in_parquet(
    folder: Path, clips: list[str], scores: Scores, targets: NDArray[np.bool_], _: Labels
) -> Path:
    indices = [np.flatnonzero(row) for row in targets]
    columns: dict[str, Any] = {"clip_id": clips, "scores": list(scores)}
    columns["targets"] = pa.array(indices, pa.list_(pa.int64()))
    pq.write_table(pa.table(columns), folder / "x.parquet")
    return folder / "x.parquet"


def in_npz(
    folder: Path, clips: list[str], scores: Scores, targets: NDArray[np.bool_], labels: Labels
) -> Path:
    named = np.array(labels.mids)
    np.savez(
        folder / "x.npz", clip_id=np.array(clips), scores=scores, targets=targets, labels=named
    )
    return folder / "x.npz"


def in_one_cell(
    folder: Path, clips: list[str], scores: Scores, targets: NDArray[np.bool_], _: Labels
) -> Path:
    with (folder / "x.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["targets", "clip_id", "scores"])
        for clip, values, row in zip(clips, scores, targets, strict=True):
            writer.writerow([np.flatnonzero(row).tolist(), clip, values.tolist()])
    return folder / "x.csv"


def in_a_column_a_label(
    folder: Path, clips: list[str], scores: Scores, targets: NDArray[np.bool_], labels: Labels
) -> Path:
    with (folder / "x.tsv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(["clip_id", *labels.display_names, "targets"])
        for clip, values, row in zip(clips, scores, targets, strict=True):
            mids = [labels.mids[index] for index in np.flatnonzero(row)]
            writer.writerow([clip, *map(repr, values.tolist()), " ".join(mids)])
    return folder / "x.tsv"


ALL = (in_parquet, in_npz, in_one_cell, in_a_column_a_label)


@given(st.data())
def test_every_format(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    shape = data.draw(arrays.array_shapes(min_dims=2, max_dims=2, max_side=6))
    labels = Labels(
        tuple(f"/m/{index}" for index in range(shape[1])),
        tuple(f'name, "{index}"' for index in range(shape[1])),
    )
    # What CSV can tell apart: no spaces at the ends, no NUL, which numpy cuts off too.
    text = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)
    clips = data.draw(st.lists(text, min_size=shape[0], max_size=shape[0], unique=True))
    finite = st.floats(allow_nan=False, allow_infinity=False)
    scores = data.draw(arrays.arrays(np.float64, shape, elements=finite))
    targets = data.draw(arrays.arrays(np.bool_, shape))
    folder = tmp_path_factory.mktemp("formats")
    for write in ALL:
        found = read_predictions(write(folder, clips, scores, targets, labels), labels)
        assert found.clip_ids == clips
        np.testing.assert_array_equal(found.scores, scores)
        np.testing.assert_array_equal(found.targets, targets)


def test_what_a_run_leaves_is_read(tmp_path: Path) -> None:
    labels = Labels(("/m/a", "/m/b"), ("A", "B"))
    scores = np.array([[0.5, 0.25], [0.125, 1.0]], dtype=np.float32)
    targets = np.array([[True, False], [False, False]])
    written = Predictions("model", ["x", "y"], scores, targets)
    path = tmp_path / "scores.parquet"
    write_scores(path, written, labels, Lineage("evaluate", {}, {}, {}))
    found = read_predictions(path, labels)
    assert found.clip_ids == ["x", "y"]
    assert found.scores.dtype == np.float32
    np.testing.assert_array_equal(found.scores, scores)
    np.testing.assert_array_equal(found.targets, targets)
    with pytest.raises(ArtifactError, match="same labels in another order"):
        read_predictions(path, Labels(("/m/b", "/m/a"), ("B", "A")))


def test_the_suffixes_of_the_settings_are_those_that_are_read(tmp_path: Path) -> None:
    """A file that is not there is named as such, and not as of an unknown kind."""
    for suffix in SCORE_SUFFIXES:
        path = tmp_path / f"absent{suffix}"
        with pytest.raises(ArtifactError) as caught:
            read_predictions(path, Labels(("a",), ("A",)))
        assert caught.value.message == f"{path} cannot be read: No such file or directory"
        assert str(caught.value.next_step).startswith("check the path")
        path.mkdir()
        with pytest.raises(ArtifactError, match="cannot be read: Is a directory") as caught:
            read_predictions(path, Labels(("a",), ("A",)))
        assert caught.value.next_step == "name a file in it"
