"""One model minus another, on the same clips, resampled together."""

import numpy as np
from numpy.typing import NDArray

from stages.evaluate.results import (
    SEVERITY,
    TOP1,
    Judged,
    defined,
    each_with_interval,
    with_interval,
)
from stages.evaluate.space import LabelSpace
from stages.evaluate.summary import Difference, Interval, LabelDifference

_MISSED_BY_INTERVAL = 0.05  # a 95 % interval lies beside the true value that often
# With fewer clips of a label, its interval was measured to miss far more often (docs/metrics.md).
_ENOUGH_POSITIVES = 20


def difference(against: str, ours: Judged, theirs: Judged, space: LabelSpace) -> Difference:
    """Our model minus theirs."""
    mine, other = ours.measures, theirs.measures
    ap, omap = _by_label(ours, theirs)
    levels = _minus(
        mine.by_level - other.by_level, ours.replicates.by_level - theirs.replicates.by_level
    )
    per_label = tuple(
        LabelDifference(
            label_index=index,
            mid=mid,
            label=name,
            other_AP=defined(other.average_precision[index]),
            AP=ap[index],
            other_OmAP=defined(other.ontology_average_precision[:, index].mean()),
            OmAP=omap[index],
        )
        for index, (mid, name) in enumerate(
            zip(space.labels.mids, space.labels.display_names, strict=True)
        )
    )
    enough = mine.rankings.positives() >= _ENOUGH_POSITIVES
    compared = [row for row in per_label if enough[row.label_index]]
    by_ap = [(row.mid, row.AP) for row in compared]
    by_omap = [(row.mid, row.OmAP) for row in compared]
    return Difference(
        against=against,
        other_mAP=with_interval(
            other.mean_average_precision, theirs.replicates.mean_average_precision
        ),
        other_OmAP=with_interval(
            float(other.by_level.mean()), theirs.replicates.ontology_mean_average_precision
        ),
        mAP=with_interval(
            mine.mean_average_precision - other.mean_average_precision,
            ours.replicates.mean_average_precision - theirs.replicates.mean_average_precision,
            -1.0,
        ),
        OmAP=with_interval(
            float((mine.by_level - other.by_level).mean()),
            ours.replicates.ontology_mean_average_precision
            - theirs.replicates.ontology_mean_average_precision,
            -1.0,
        ),
        OmAP_by_coarse_level=tuple(level for level in levels if level is not None),
        severity=_of_ratio(ours, theirs, SEVERITY),
        top1_severity=_of_ratio(ours, theirs, TOP1),
        per_label=per_label,
        least_positives=_ENOUGH_POSITIVES,
        labels_compared=len(compared),
        AP_won=_beside_zero(by_ap, 1),
        AP_lost=_beside_zero(by_ap, -1),
        OmAP_won=_beside_zero(by_omap, 1),
        OmAP_lost=_beside_zero(by_omap, -1),
        expected_by_chance=_MISSED_BY_INTERVAL * len(compared),
    )


def _by_label(ours: Judged, theirs: Judged) -> tuple[list[Interval | None], list[Interval | None]]:
    ap = _minus(
        ours.measures.average_precision - theirs.measures.average_precision,
        ours.replicates.average_precision - theirs.replicates.average_precision,
    )
    omap = _minus(
        ours.measures.ontology_average_precision.mean(axis=0)
        - theirs.measures.ontology_average_precision.mean(axis=0),
        ours.replicates.ontology_average_precision - theirs.replicates.ontology_average_precision,
    )
    return ap, omap


def _minus(values: NDArray[np.float64], replicates: NDArray[np.float64]) -> list[Interval | None]:
    return each_with_interval(values, replicates, -1.0)


def _of_ratio(ours: Judged, theirs: Judged, at: int) -> Interval | None:
    mine, other = ours.measures.ratios[at].value, theirs.measures.ratios[at].value
    if mine is None or other is None:
        return None
    farthest = float(len(ours.measures.false_positives) - 1)
    spread = ours.replicates.ratios[:, at] - theirs.replicates.ratios[:, at]
    return with_interval(mine - other, spread, -farthest, farthest)


def _beside_zero(rows: list[tuple[str, Interval | None]], sign: int) -> tuple[str, ...]:
    """The mids whose whole interval is above (1) or below (-1) zero, the largest difference first."""
    beside = [
        (sign * found.value, mid)
        for mid, found in rows
        if found is not None
        and found.low is not None
        and found.high is not None
        and min(sign * found.low, sign * found.high) > 0
    ]
    return tuple(mid for _, mid in sorted(beside, key=lambda pair: -pair[0]))
