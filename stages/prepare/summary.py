"""What a finished run says."""

from collections import Counter
from collections.abc import Sequence
from typing import get_args

from stages.prepare.listing import Label, Reject, Split
from stages.prepare.settings import PrepareSummary
from stages.prepare.taking import TakenClip


def summarise(
    layout: str,
    sample_rate: int,
    clips: Sequence[TakenClip],
    labels: Sequence[Label],
    rejects: Sequence[Reject],
) -> PrepareSummary:
    """Count what was taken and what was not; `clips` is not empty."""
    count = Counter(taken.found.split for taken in clips)
    seconds = dict.fromkeys(get_args(Split), 0.0)
    for taken in clips:
        seconds[taken.found.split] += taken.stored.duration_seconds
    trained = {mid for taken in clips if taken.found.split == "train" for mid in taken.found.mids}
    return PrepareSummary(
        layout=layout,
        clips={split: count[split] for split in seconds},
        hours={split: total / 3600 for split, total in seconds.items()},
        labels=len(labels),
        labels_without_train_clip=tuple(
            label.display_name for label in labels if label.mid not in trained
        ),
        labels_per_clip=sum(len(set(taken.found.mids)) for taken in clips) / len(clips),
        rejects=dict(sorted(Counter(reject.reason.value for reject in rejects).items())),
        sample_rate=sample_rate,
        audio_bytes=sum(taken.stored.encoded_bytes for taken in clips),
    )
