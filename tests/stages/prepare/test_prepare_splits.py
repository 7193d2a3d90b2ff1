"""Splits: published ones kept, recordings kept together, and nothing left to chance."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.errors import UsageError
from stages.prepare.listing import Clip, Split
from stages.prepare.splits import assign_splits


def clip(
    recording: object, take: object = "", fold: int | None = None, split: Split | None = None
) -> Clip:
    return Clip(f"{recording}-{take}", "", ("a",), str(recording), fold, split)


def test_folds() -> None:
    clips = [clip(i, fold=fold) for i, fold in enumerate((1, 2, 3, 2, None))]
    assert assign_splits(clips, (), 0) == ["train", "train", "eval", "train", "train"]
    assert assign_splits(clips, (1, 2), 0) == ["eval", "eval", "train", "eval", "train"]


def test_a_fold_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"--eval-fold 9: the data set has the folds \[1, 2\]"):
        assign_splits([clip(0, fold=1), clip(1, fold=2)], (1, 9), 0)
    with pytest.raises(UsageError, match="has no folds"):
        assign_splits([clip(0)], (1,), 0)


def test_named_splits_count() -> None:
    clips = [clip(0, split="train"), clip(1, split="valid"), clip(2, split="eval")]
    assert assign_splits(clips, (), 0.5) == ["train", "valid", "eval"]
    no_eval = [clip(i, split="train") for i in range(10)]
    assert Counter(assign_splits(no_eval, (), 0.2)) == {"train": 8, "valid": 2}


@pytest.mark.parametrize("fold", [None, 1])
def test_neither_folds_nor_splits(fold: int | None) -> None:
    splits = assign_splits([clip(i, fold=fold) for i in range(100)], (), 0.1)
    assert Counter(splits) == {"eval": 20, "valid": 8, "train": 72}


@pytest.mark.parametrize("clips", [1, 2, 3, 5])
def test_something_is_left_to_train_on(clips: int) -> None:
    assert "train" in assign_splits([clip(i) for i in range(clips)], (), 0.5)


def test_the_choice_is_the_same_for_ever() -> None:
    # echo -n eval:5 | sha256sum and so on: of ten, 8 and 5 have the two lowest hashes.
    splits = assign_splits([clip(i) for i in range(10)], (), 0)
    assert [place for place, split in enumerate(splits) if split == "eval"] == [5, 8]


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=60),
    st.floats(0, 0.5),
    st.randoms(use_true_random=False),
)
def test_takes_of_a_recording_stay_together(
    recordings: list[int], share: float, random: Random
) -> None:
    clips = [clip(recording, take) for take, recording in enumerate(recordings)]
    splits = assign_splits(clips, (), share)
    place = dict(zip(clips, splits, strict=True))
    assert len({(c.recording_id, s) for c, s in place.items()}) == len(set(recordings))
    assert splits.count("eval") <= len(clips) * 0.2 + 1
    assert splits.count("valid") <= (len(clips) - splits.count("eval")) * share + 1
    shuffled = random.sample(clips, len(clips))
    assert dict(zip(shuffled, assign_splits(shuffled, (), share), strict=True)) == place
