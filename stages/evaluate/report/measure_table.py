"""The table of the other measures: what each is, each model's value, and the difference."""

from collections.abc import Iterator
from dataclasses import dataclass

from stages.evaluate.report.content import ReportContent
from stages.evaluate.report.wording import bounds, count, number, signed, signed_bounds, verdict
from stages.evaluate.summary import Calibration, EvaluateSummary, Interval, ThresholdResult


@dataclass(frozen=True)
class Value:
    """A measure of one model, and its interval where it has one."""

    text: str
    interval: str = ""


@dataclass(frozen=True)
class Measure:
    """One line of the table; `means` says in a few words what is measured."""

    name: str
    means: str
    own: Value
    other: Value | None
    difference: Value | None
    verdict: str = ""


@dataclass(frozen=True)
class Group:
    """Measures that belong together."""

    name: str
    measures: tuple[Measure, ...]


# A line before it is put beside the other model's: name, meaning, value.
_Line = tuple[str, str, Value]


def measure_table(content: ReportContent) -> tuple[Group, ...]:
    """Group the measures; those that a model has none of are left out."""
    own = content.model.summary
    others = dict(_lines(content.other.summary)) if content.other else {}
    compared = _differences(own)
    groups = []
    for group, lines in _lines(own):
        of_other = {name: value for name, _, value in others.get(group, [])}
        measures = [_measure(line, content, of_other, compared.get(line[0])) for line in lines]
        if measures:
            groups.append(Group(group, tuple(measures)))
    return tuple(groups)


def _measure(
    line: _Line,
    content: ReportContent,
    of_other: dict[str, Value],
    compared: tuple[Interval, bool] | None,
) -> Measure:
    name, means, value = line
    other = of_other.get(name, Value(number(None))) if content.other else None
    if compared is None:
        return Measure(name, means, value, other, Value("") if content.other else None)
    interval, less_is_better = compared
    difference = Value(signed(interval.value), signed_bounds(interval))
    return Measure(name, means, value, other, difference, verdict(interval, less_is_better))


def _differences(own: EvaluateSummary) -> dict[str, tuple[Interval, bool]]:
    """By the measure's name, the difference and whether less is better."""
    if own.difference is None:
        return {}
    found = {
        "OmAP": (own.difference.OmAP, False),
        "mAP": (own.difference.mAP, False),
        "Distance of the top tag": (own.difference.top1_severity, True),
    }
    if own.difference.severity is not None:
        found["Distance of confident false positives"] = (own.difference.severity, True)
    return found


def _lines(summary: EvaluateSummary) -> Iterator[tuple[str, list[_Line]]]:
    yield "Finding the clips that have a label", _rankings(summary)
    yield "Finding the labels that a clip has", _of_clips(summary)
    yield "How far off the mistakes are", _severity(summary)
    for at in summary.thresholds or ():
        yield f"Tags that score at least {at.threshold:g}", _tags(at)
    if summary.calibration is not None:
        yield "Scores as probabilities", _calibration(summary.calibration)


def _rankings(summary: EvaluateSummary) -> list[_Line]:
    return [
        ("OmAP", "mAP that forgives mistakes near the truth", _ranged(summary.OmAP_interval)),
        ("mAP", "mean over labels of the average precision", _ranged(summary.mAP_interval)),
        ("mAP by chance", "of clips in a random order", _plain(summary.chance_mAP)),
        ("Micro mAP", "all scores in one order", _plain(summary.micro_mAP)),
        ("AUC", "mean area under the ROC curve", _plain(summary.AUC)),
        ("d-prime", "from the mean AUC", _plain(summary.d_prime)),
    ]


def _of_clips(summary: EvaluateSummary) -> list[_Line]:
    lines = [("lwlrap", "precision at each true label of a clip", _ranged(summary.lwlrap))]
    for top in summary.top_k or ():
        highest = "scores highest" if top.k == 1 else f"is among the {top.k} highest"
        means = f"share of clips whose label {highest}"
        lines.append((f"Top-{top.k} accuracy", means, _ranged(top.accuracy)))
    return lines


def _severity(summary: EvaluateSummary) -> list[_Line]:
    severity = summary.severity
    confident = f"scores from {severity.threshold:g} on"
    if severity.matched:
        confident = "of the highest scores, as many as there are true tags"
    mean = severity.mean_distance
    return [
        ("Confident false positives", confident, Value(count(severity.false_positives))),
        (
            "Distance of confident false positives",
            "mean, to the nearest true label, in edges; less is better",
            _ranged(mean, 2) if mean else Value(number(None)),
        ),
        (
            "Distance of the top tag",
            "mean, 0 where it is right; less is better",
            _ranged(severity.top1_mean_distance, 2),
        ),
        ("Distance of random tags", "for comparison", _plain(severity.random_mean_distance, 2)),
    ]


def _tags(at: ThresholdResult) -> list[_Line]:
    over_labels, together = "mean over labels", "all tags together"
    return [
        (
            "Precision",
            f"share of the tags that are true; {over_labels}",
            _plain(at.precision_macro),
        ),
        ("Recall", f"share of the truth that is tagged; {over_labels}", _plain(at.recall_macro)),
        ("F1", f"harmonic mean of the two; {over_labels}", _plain(at.F1_macro)),
        (f"Precision, {together}", "", _plain(at.precision_micro)),
        (f"Recall, {together}", "", _plain(at.recall_micro)),
        (f"F1, {together}", "", _plain(at.F1_micro)),
    ]


def _calibration(found: Calibration) -> list[_Line]:
    means = "score minus share that is true, in 15 bins; mean over labels"
    return [
        ("Calibration error", means, _plain(found.macro)),
        ("Calibration error, all scores together", "", _plain(found.pooled)),
    ]


def _plain(value: float | None, digits: int = 3) -> Value:
    return Value(number(value, digits))


def _ranged(interval: Interval, digits: int = 3) -> Value:
    return Value(number(interval.value, digits), bounds(interval, digits))
