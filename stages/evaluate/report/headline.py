"""The main thing first: the verdict as a sentence, the two figures that count, and what to know first."""

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from stages.evaluate.report.content import ReportContent
from stages.evaluate.report.interval_strip import interval_strip, shared_range
from stages.evaluate.report.wording import (
    Verdict,
    count,
    number,
    percent,
    short_name,
    signed,
    verdict,
)
from stages.evaluate.summary import Coverage, EvaluateSummary, Interval

_STRIP_UNITS = 220.0


@dataclass(frozen=True)
class Figure:
    """One headline number; `strip` draws it, and the other model's below it."""

    name: str
    means: str
    own: Interval
    other: Interval | None
    difference: Interval | None
    strip: Markup


def headline_figures(content: ReportContent) -> tuple[Figure, ...]:
    """OmAP, then mAP."""
    own, difference = content.model.summary, content.model.summary.difference
    other = content.other.summary if content.other else None
    return (
        _figure(
            "OmAP",
            "Mean average precision in which a mistake counts the less, the nearer it is to the truth",
            own.OmAP_interval,
            other.OmAP_interval if other else None,
            difference.OmAP if difference else None,
        ),
        _figure(
            "mAP",
            "Mean average precision over labels: every mistake counts alike",
            own.mAP_interval,
            other.mAP_interval if other else None,
            difference.mAP if difference else None,
        ),
    )


def _figure(
    name: str, means: str, own: Interval, other: Interval | None, difference: Interval | None
) -> Figure:
    rows = [("model", own)] + ([("other", other)] if other else [])
    drawn = shared_range([interval for _, interval in rows])
    strip = interval_strip(rows, drawn, _STRIP_UNITS)
    return Figure(name, means, own, other, difference, strip)


def verdict_sentence(content: ReportContent) -> str:
    """Say in a sentence or two what came out."""
    own, difference = content.model.summary, content.model.summary.difference
    if difference is None:
        return (
            f"{own.name} has an OmAP of {number(own.OmAP)} and an mAP of {number(own.mAP)};"
            f" clips in a random order would have an mAP of {number(own.chance_mAP)}."
        )
    against = short_name(difference.against)
    by_omap, by_map = (
        f"by {measure} ({signed(found.value)})"
        for measure, found in (("OmAP", difference.OmAP), ("mAP", difference.mAP))
    )
    if difference.OmAP.low is None:
        return f"{own.name} minus {against}: {by_omap}, {by_map}; without intervals, no verdict."
    says = {
        "better": "is better than",
        "worse": "is worse than",
        "unclear": "shows no clear difference from",
    }
    omap, plain = verdict(difference.OmAP), verdict(difference.mAP)
    if omap == plain:
        return f"{own.name} {says[omap]} {against}, {by_omap} and {by_map}."
    first = f"{own.name} {says[omap]} {against} {by_omap}"
    return f"{first}, and {_again(plain)} {by_map}."


def _again(says: Verdict) -> str:
    return {"better": "better", "worse": "worse", "unclear": "not clearly different"}[says]


def facts(summary: EvaluateSummary) -> Iterator[tuple[str, str]]:
    """What was evaluated, on what: term and value."""
    if summary.split is not None:
        yield "Split", summary.split
    yield "Clips", count(summary.clips)
    yield "Labels", count(summary.labels)
    if summary.OmAP_interval.low is not None:
        drawn = "single clips"
        if summary.group_by is not None:
            drawn = f"{count(summary.groups)} groups by {summary.group_by}"
        yield "Intervals", f"95 %, bootstrap of {drawn}"
    else:
        yield "Intervals", "none: no resamples were drawn"


def caveats(summary: EvaluateSummary) -> Iterator[str]:
    """What a reader must know before believing the numbers."""
    if summary.OmAP_is_meaningless:
        yield (
            "OmAP is meaningless here: every label is as far from every other, since the ontology is"
            " flat or the labels are too few. mAP is what counts."
        )
    if summary.coverage is not None:
        yield _coverage(summary.coverage)
    if summary.labels_without_positives:
        yield (
            f"Labels without a clip here: {count(summary.labels_without_positives)} of"
            f" {count(summary.labels)}. They have no AP, and no part in any mean over labels."
        )
    if summary.labels_unknown:
        yield (
            f"Labels that the model does not know: {count(len(summary.labels_unknown))} of"
            f" {count(summary.labels)}. It counts as never giving them: their scores are 0."
        )
    if summary.clips_without_labels:
        yield (
            f"Clips without a label: {count(summary.clips_without_labels)} of {count(summary.clips)}."
            " They are negatives of every label in mAP and AUC, and left out of OmAP and distances."
        )
    if summary.disconnected_label_pairs and not summary.OmAP_is_meaningless:
        yield (
            "Pairs of labels without a path between them in the ontology:"
            f" {count(summary.disconnected_label_pairs)}. They count as one edge further apart than any"
            " other pair."
        )
    if not summary.scores_are_probabilities:
        yield (
            "The scores are no probabilities: no fixed thresholds and no calibration error. Confident"
            " are the highest scores, as many as there are true tags: those from"
            f" {summary.severity.threshold:.3g} on."
        )


def _coverage(coverage: Coverage) -> str:
    said = (
        f"{count(coverage.evaluated)} of the {count(coverage.listed)} listed clips"
        f" ({percent(coverage.share)}) were evaluated"
    )
    if coverage.unscored:
        said += f"; {count(coverage.unscored)} have no scores"
    if coverage.unscored_by_other:
        said += f"; {count(coverage.unscored_by_other)} have none by the other model"
    if coverage.not_listed:
        said += f"; {count(coverage.not_listed)} scored clips are not listed, and were left out"
    return f"{said}."
