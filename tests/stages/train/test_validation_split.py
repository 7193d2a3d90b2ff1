"""Validation clips carved out of the training clips, by whole recordings."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.schemas import CLIPS
from stages.train.validation_split import carve, carved_line

LABELS = 4


def clip_table(splits: list[str], recordings: list[str], labels: list[list[int]]) -> pa.Table:
    """A table with the columns that count here, as clips.parquet has them."""
    columns = {
        "clip_id": [f"clip{index}" for index in range(len(splits))],
        "split": splits,
        "recording_id": recordings,
        "label_indices": labels,
    }
    schema = pa.schema([CLIPS.field(name) for name in columns], metadata={"spa.artifact": "clips"})
    return pa.Table.from_pydict(columns, schema=schema)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Training and evaluation clips of up to 12 recordings; one may be of both splits."""
    count = draw(st.integers(1, 40))
    lists = {"min_size": count, "max_size": count}
    splits = draw(st.lists(st.sampled_from(["train", "train", "eval"]), **lists))
    recordings = draw(st.lists(st.sampled_from("abcdefghijkl"), **lists))
    some = st.lists(st.integers(0, LABELS - 1), unique=True, max_size=3).map(sorted)
    return clip_table(splits, recordings, draw(st.lists(some, **lists)))


def training(table: pa.Table, column: str) -> list[list[object]]:
    rows = table.to_pylist()
    return [[row[column] for row in rows if row["split"] == split] for split in ("train", "valid")]


@given(tables(), st.sampled_from([0.1, 0.3, 0.5]), st.integers(0, 9))
def test_whole_recordings_move_and_every_label_can_still_be_learned(
    table: pa.Table, share: float, seed: int
) -> None:
    carved = carve(table, LABELS, share, seed)
    assert carved.schema.equals(table.schema, check_metadata=True)
    assert carved.drop(["split"]).equals(table.drop(["split"]))
    was, now = table["split"].to_pylist(), carved["split"].to_pylist()
    assert all(
        pair in {("train", "train"), ("train", "valid"), ("eval", "eval")}
        for pair in zip(was, now, strict=True)
    )
    kept, moved = training(carved, "recording_id")
    assert not set(kept) & set(moved)
    labels_before = {label for row in training(table, "label_indices")[0] for label in row}
    labels_after = {label for row in training(carved, "label_indices")[0] for label in row}
    assert labels_after == labels_before
    assert bool(kept) == ("train" in was)


def made(recordings: int, takes: int) -> pa.Table:
    count = recordings * takes
    names = [f"r{index // takes}" for index in range(count)]
    return clip_table(
        ["train"] * count, names, [[index // takes % LABELS] for index in range(count)]
    )


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
def test_the_share_is_of_recordings_and_of_every_label(share: float) -> None:
    table = made(recordings=80, takes=3)
    carved = carve(table, LABELS, share, 0)
    _, moved = training(carved, "recording_id")
    assert len(set(moved)) == 80 * share
    assert len(moved) == 3 * 80 * share
    _, labels = training(carved, "label_indices")
    counts = np.bincount(np.concatenate(labels), minlength=LABELS)
    assert counts.max() - counts.min() <= 3


def test_a_recording_has_the_labels_of_all_its_clips() -> None:
    """Label 3 is only in the second clips: each recording has it, and half of them move."""
    count = 40
    table = clip_table(["train"] * count, [f"r{i // 2}" for i in range(count)], [[0], [3]] * 20)
    kept, moved = training(carve(table, LABELS, 0.5, 0), "label_indices")
    assert kept.count([3]) == moved.count([3]) == 10


def test_a_data_set_with_validation_clips_stays_as_it_is() -> None:
    table = clip_table(["train", "train", "valid"], ["a", "b", "c"], [[0], [0], [0]])
    assert carve(table, LABELS, 0.5, 0) is table
    assert carved_line(table, table) is None
    without = made(20, 1)
    assert carve(without, LABELS, 0.0, 0) is without


def test_the_seed_decides_which() -> None:
    table = made(80, 2)
    assert carve(table, LABELS, 0.2, 1).equals(carve(table, LABELS, 0.2, 1))
    assert not carve(table, LABELS, 0.2, 1).equals(carve(table, LABELS, 0.2, 2))


def test_nothing_can_be_spared() -> None:
    """A recording a label, or one recording: all stay, and nothing is said."""
    for table in (made(LABELS, 5), made(1, 5), made(80, 1).slice(0, 0)):
        carved = carve(table, LABELS, 0.5, 0)
        assert carved["split"].to_pylist() == table["split"].to_pylist()
        assert carved_line(table, carved) is None


def test_one_line_says_how_much() -> None:
    table = made(recordings=40, takes=3)
    said = carved_line(table, carve(table, LABELS, 0.1, 0))
    assert said is not None
    assert "12 clips (recordings: 4)" in said
