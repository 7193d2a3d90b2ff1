"""Splits: published ones kept, recordings kept together, and nothing left to chance."""

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.errors import UsageError
from stages.prepare.catalogue import Catalogue
from stages.prepare.listing import ListedClip, Split
from stages.prepare.splits import SplitBy, assign_splits


def clip(
    recording: object, take: object = "", fold: int | None = None, split: Split | None = None
) -> ListedClip:
    name = f"{recording}-{take}"
    return ListedClip(name, name, name, ("a",), str(recording), fold, split)


def splits_of(
    clips: Sequence[ListedClip],
    split_by: SplitBy = "auto",
    eval_folds: Sequence[int] = (),
    eval_share: float = 0.2,
    valid_share: float = 0.0,
) -> list[Split]:
    """The splits of `clips`, in their order."""
    catalogue = Catalogue()
    catalogue.add("files", ((path, False) for path in {str(clip.path) for clip in clips}))
    catalogue.add("listed", ((seq, *clip) for seq, clip in enumerate(clips)))
    catalogue.add("label_mids", [("a", ["a"])])
    for step in ("find.sql", "label_clips.sql", "unique_clips.sql"):
        catalogue.do(step)
    assign_splits(catalogue, split_by, eval_folds, eval_share, valid_share)
    rows = catalogue._connection.execute("SELECT split FROM clips ORDER BY seq").fetchall()
    assert len(rows) == len(clips)
    return [split for (split,) in rows]


def test_folds() -> None:
    clips = [clip(i, fold=fold) for i, fold in enumerate((1, 2, 3, 2, None))]
    assert splits_of(clips) == ["train", "train", "eval", "train", "train"]
    assert splits_of(clips, eval_folds=(1, 2)) == ["eval", "eval", "train", "eval", "train"]
    assert splits_of(clips, "fold", eval_folds=(1,)) == ["eval", *["train"] * 4]


def test_a_fold_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"--eval-fold 9: the data set has the folds \[1, 2\]"):
        splits_of([clip(0, fold=1), clip(1, fold=2)], eval_folds=(1, 9))
    with pytest.raises(UsageError, match="has no folds"):
        splits_of([clip(0)], eval_folds=(1,))


def test_named_splits_count() -> None:
    clips = [clip(0, split="train"), clip(1, split="valid"), clip(2, split="eval")]
    assert splits_of(clips, valid_share=0.5) == ["train", "valid", "eval"]
    no_eval = [clip(i, split="train") for i in range(10)]
    assert Counter(splits_of(no_eval, valid_share=0.2)) == {"train": 8, "valid": 2}


def test_the_user_may_choose_what_to_split_by() -> None:
    clips = [clip(i, fold=1 + i % 2, split="eval" if i < 9 else "train") for i in range(10)]
    assert Counter(splits_of(clips)) == {"eval": 9, "train": 1}
    assert splits_of(clips, "fold") == ["train", "eval"] * 5
    assert splits_of(clips, "fold", eval_folds=(1,)) == ["eval", "train"] * 5
    assert Counter(splits_of(clips, "hash")) == {"eval": 2, "train": 8}
    assert Counter(splits_of(clips, "hash", eval_share=0.5)) == {"eval": 5, "train": 5}


@pytest.mark.parametrize(("split_by", "said"), [("column", "no splits"), ("fold", "no folds")])
def test_there_must_be_something_to_split_by(split_by: SplitBy, said: str) -> None:
    with pytest.raises(UsageError, match=f"--split-by {split_by}: the data set .* {said}"):
        splits_of([clip(0), clip(1)], split_by)


def test_a_fold_says_nothing_where_the_split_is_by_hash() -> None:
    with pytest.raises(UsageError, match="--eval-fold 1 with --split-by hash"):
        splits_of([clip(0, fold=1)], "hash", eval_folds=(1,))


@pytest.mark.parametrize("fold", [None, 1])
def test_neither_folds_nor_splits(fold: int | None) -> None:
    splits = splits_of([clip(i, fold=fold) for i in range(100)], valid_share=0.1)
    assert Counter(splits) == {"eval": 20, "valid": 8, "train": 72}


@pytest.mark.parametrize("clips", [1, 2, 3, 5])
def test_something_is_left_to_train_on(clips: int) -> None:
    assert "train" in splits_of([clip(i) for i in range(clips)], valid_share=0.5)


def test_the_choice_is_the_same_for_ever() -> None:
    # echo -n eval:5 | sha256sum and so on: of ten, 8 and 5 have the two lowest hashes.
    splits = splits_of([clip(i) for i in range(10)])
    assert [place for place, split in enumerate(splits) if split == "eval"] == [5, 8]


@settings(max_examples=25)
@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=60),
    st.floats(0, 0.5),
    st.randoms(use_true_random=False),
)
def test_takes_of_a_recording_stay_together(
    recordings: list[int], share: float, random: Random
) -> None:
    clips = [clip(recording, take) for take, recording in enumerate(recordings)]
    splits = splits_of(clips, valid_share=share)
    place = dict(zip(clips, splits, strict=True))
    assert len({(c.recording_id, s) for c, s in place.items()}) == len(set(recordings))
    assert splits.count("eval") <= len(clips) * 0.2 + 1
    assert splits.count("valid") <= (len(clips) - splits.count("eval")) * share + 1
    shuffled = random.sample(clips, len(clips))
    assert dict(zip(shuffled, splits_of(shuffled, valid_share=share), strict=True)) == place
