"""What a finished run says."""

from collections.abc import Sequence, Set
from typing import get_args

from stages.prepare.catalogue import Catalogue
from stages.prepare.listing import Label, Split
from stages.prepare.settings import PrepareSummary

_CLIPPED_SHARE = 1e-3
_DC_OFFSET = 0.01


def summarise(
    catalogue: Catalogue, layout: str, named: int, labels: Sequence[Label], sample_rate: int
) -> PrepareSummary:
    """Count what was taken of the `named` files, rows or segments, and what was not."""
    totals = {split: rest for split, *rest in catalogue.rows("split_totals.sql")}
    clips, hours, labels_per_clip = (
        {split: totals[split][place] if split in totals else 0 for split in get_args(Split)}
        for place in range(3)
    )
    counts = catalogue.rows("clips_per_label.sql")
    used, trained = {mid for mid, *_ in counts}, {mid for mid, train, *_ in counts if train}
    ((audio_bytes, silent, clipped, offset),) = catalogue.rows(
        "totals.sql", clipped_share=_CLIPPED_SHARE, dc_offset=_DC_OFFSET
    )
    return PrepareSummary(
        layout=layout,
        clips=clips,
        hours=hours,
        labels_per_clip=labels_per_clip,
        named=named,
        coverage_percent=100 * sum(clips.values()) / named,
        labels=len(labels),
        labels_without_clip=_names_without(labels, used),
        labels_without_train_clip=_names_without(labels, trained),
        rejects={reason: count for reason, count, _ in catalogue.rows("reject_counts.sql")},
        silent_clips=silent,
        clipped_clips=clipped,
        offset_clips=offset,
        sample_rate=sample_rate,
        audio_bytes=audio_bytes,
    )


def _names_without(labels: Sequence[Label], mids: Set[str]) -> tuple[str, ...]:
    return tuple(label.display_name for label in labels if label.mid not in mids)
