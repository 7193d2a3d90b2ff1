"""Which clips are trained on, validated on and evaluated on."""

import hashlib
import math
from collections import Counter
from collections.abc import Sequence

from stages.errors import UsageError
from stages.prepare.listing import Clip, Split

_EVAL_SHARE = 0.2


def assign_splits(
    clips: Sequence[Clip], eval_folds: Sequence[int], valid_share: float
) -> list[Split]:
    """Give every clip a split.

    Where the data set names splits, they count. Where it has folds, `eval_folds` (by default the
    highest) are evaluated on and the rest is trained on. Where it has neither, or one fold only,
    20 % of the clips are evaluated on. Then, where none is there to validate on, `valid_share` of
    the clips to train on are taken for it. Both are taken by the recording, so that takes of one
    recording stay together, in the order of a hash of the recording id: nothing is random.

    Raises:
        UsageError: `eval_folds` names a fold that the data set does not have.
    """
    folds = sorted({clip.fold for clip in clips if clip.fold is not None})
    unknown = sorted(set(eval_folds) - set(folds))
    if unknown:
        has = f"has the folds {folds}" if folds else "has no folds"
        raise UsageError(f"--eval-fold {unknown[0]}: the data set {has}")
    splits = _published_splits(clips, set(eval_folds) or set(folds[1:][-1:]))
    if splits is None:
        splits = ["train"] * len(clips)
        _hold_out(clips, splits, "eval", _EVAL_SHARE)
    if "valid" not in splits:
        _hold_out(clips, splits, "valid", valid_share)
    return splits


def _published_splits(clips: Sequence[Clip], eval_folds: set[int]) -> list[Split] | None:
    if any(clip.split is not None for clip in clips):
        return [clip.split or "train" for clip in clips]
    if eval_folds:
        return ["eval" if clip.fold in eval_folds else "train" for clip in clips]
    return None


def _hold_out(clips: Sequence[Clip], splits: list[Split], split: Split, share: float) -> None:
    """Move whole recordings, at most `share` of the clips of train (rounded up), to `split`."""
    sizes = Counter(
        clip.recording_id for clip, its in zip(clips, splits, strict=True) if its == "train"
    )
    room = min(math.ceil(share * sizes.total()), sizes.total() - 1)  # something is left to train on
    chosen = set()
    for recording_id in sorted(sizes, key=lambda name: _hash(split, name)):
        if sizes[recording_id] <= room:
            chosen.add(recording_id)
            room -= sizes[recording_id]
    for place, clip in enumerate(clips):
        if splits[place] == "train" and clip.recording_id in chosen:
            splits[place] = split


def _hash(split: Split, recording_id: str) -> bytes:
    """SHA-256 of the recording id; it differs by split, so that one choice says nothing of another."""
    return hashlib.sha256(f"{split}:{recording_id}".encode()).digest()
