"""Which clips are trained on, validated on and evaluated on."""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from stages.errors import UsageError
from stages.prepare.catalogue import Catalogue
from stages.prepare.listing import Split

SplitBy = Literal["auto", "column", "fold", "hash"]


def assign_splits(
    catalogue: Catalogue,
    split_by: SplitBy,
    eval_folds: Sequence[int],
    eval_share: float,
    valid_share: float,
) -> None:
    """Give every row of the table `clips` a split.

    - column: the splits that the data set names count, and a clip without one is trained on.
    - fold: `eval_folds` (by default the highest) are evaluated on and the rest is trained on.
    - hash: `eval_share` of the clips are evaluated on.
    - auto: the first of these that can be, `fold` only where there are several folds.

    Then, where none is there to validate on, `valid_share` of the clips to train on are taken for
    it. Shares are taken by the recording, so that takes of one recording stay together, in the
    order of a hash of the recording id: nothing is random.

    Raises:
        UsageError: the data set has no splits or folds, or no such fold.
    """
    ((_, named, folds),) = catalogue.rows("split_facts.sql")
    if eval_folds and split_by in ("column", "hash"):
        raise UsageError(f"--eval-fold {eval_folds[0]} with --split-by {split_by}", "leave one out")
    unknown = sorted(set(eval_folds) - set(folds))
    if unknown:
        has = f"has the folds {folds}" if folds else "has no folds"
        raise UsageError(f"--eval-fold {unknown[0]}: the data set {has}")
    if split_by == "auto":
        several = bool(eval_folds) or len(folds) > 1
        split_by = "column" if named and not eval_folds else "fold" if several else "hash"
    _check(split_by, named, folds)
    if split_by == "column":
        catalogue.do("split_by_column.sql")
    elif split_by == "fold":
        catalogue.do("split_by_fold.sql", eval_folds=list(eval_folds) or folds[-1:])
    else:
        catalogue.do("split_all_train.sql")
        _hold_out(catalogue, "eval", eval_share)
    if catalogue.rows("count_split.sql", split="valid") == [(0,)]:
        _hold_out(catalogue, "valid", valid_share)


def _check(split_by: SplitBy, named: int, folds: Sequence[int]) -> None:
    if split_by == "column" and not named:
        raise UsageError("--split-by column: the data set names no splits", "use --split-by hash")
    if split_by == "fold" and not folds:
        raise UsageError("--split-by fold: the data set has no folds", "use --split-by hash")


def _hold_out(catalogue: Catalogue, split: Split, share: float) -> None:
    """Move whole recordings, at most `share` of the clips of train (rounded up), to `split`."""
    ((clips,),) = catalogue.rows("count_split.sql", split="train")
    room = min(math.ceil(share * clips), clips - 1)  # something is left to train on
    catalogue.add("held_out", _fitting(catalogue.stream("recordings.sql", split=split), room))
    catalogue.do("hold_out.sql", split=split)
    catalogue.do("clear_held_out.sql")


def _fitting(recordings: Iterator[tuple[str, int]], room: int) -> Iterator[tuple[str]]:
    """Take every recording, in order, that still fits in."""
    for recording_id, clips in recordings:
        if room <= 0:
            return
        if clips <= room:
            yield (recording_id,)
            room -= clips
