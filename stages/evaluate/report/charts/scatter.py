"""AP of each label against how many clips there were to learn it from."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log10

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from stages.evaluate.report.charts.axes import Axis, across, along
from stages.evaluate.report.charts.lettering import isolate
from stages.evaluate.report.charts.naming import place_names
from stages.evaluate.report.charts.svg import Point, chart, circle, path, text
from stages.evaluate.report.charts.ticks import decades, tick_words
from stages.evaluate.report.content import ReportContent
from stages.evaluate.report.wording import count, number, short_name
from stages.evaluate.summary import EvaluateSummary, LabelResult

_WIDTH, _HEIGHT = 640.0, 400.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 628.0, 26.0, 346.0
_INSET_UNITS = 12.0  # between the first tick and the edge
_ZERO_UNITS = 34.0  # room left of the logarithmic axis for labels with no clip
_NAMES = 16
_AP_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_LINE_PLACES = 60  # of the running median, that no name may cover
_BIN_LABELS, _BIN_UNITS, _MOST_BINS = 12, 25.0, 8


@dataclass(frozen=True)
class _Dots:
    """Labels with an AP: its value, and the clips that it is drawn against."""

    labels: Sequence[LabelResult]
    clips: NDArray[np.float64]
    average_precision: NDArray[np.float64]


def scatter(content: ReportContent) -> Markup:
    """A dot a label of the evaluated model, the running median, and names of labels far off it.

    Against training clips; where they are not known, against the evaluated clips with the label.
    """
    summary = content.model.summary
    known = all(label.clips_train is not None for label in summary.per_label)
    dots = _dots(summary, known)
    counted = "training clips with the label" if known else "evaluated clips with the label"
    x, ticks = _clips_axis(dots.clips)
    y = Axis(0, 1, _BOTTOM, _TOP)
    whole = Axis(x.low, x.high, _LEFT, _RIGHT)
    drawn = across(y, whole, [(value, tick_words(value)) for value in _AP_TICKS])
    drawn += along(whole, y, [], f"{counted}, logarithmic")
    drawn += _decades(ticks, x, y)
    drawn.append(text((_LEFT, _TOP - 12), "caption", "AP"))
    drawn += _marks(dots, np.array([_place(x, clips) for clips in dots.clips]), y)
    says = (
        f"AP of each label against {counted}",
        f"{len(dots.labels)} labels of {isolate(short_name(summary.name))}",
    )
    return chart("scatter", (_WIDTH, _HEIGHT), says, *drawn)


def _marks(dots: _Dots, across_at: NDArray[np.float64], y: Axis) -> list[Markup]:
    """Dots, running median and names, for dots at `across_at` (labels,)."""
    heights = [y.place(value) for value in dots.average_precision.tolist()]
    places = list(zip(across_at.tolist(), heights, strict=True))
    tips = map(_tip, dots.labels)
    drawn = [circle("dot", place, 3.6, tip) for place, tip in zip(places, tips, strict=True)]
    medians = _medians(across_at, dots.average_precision)
    expected = np.full(len(places), np.median(dots.average_precision) if places else 0.0)
    covered = list(places)
    if len(medians) > 2:
        line = [(at, y.place(value)) for at, value in medians]
        drawn.append(path("trend", line))
        expected = np.interp(across_at, *np.transpose(medians))
        along_line = np.linspace(line[0][0], line[-1][0], _LINE_PLACES)
        covered += zip(along_line, np.interp(along_line, *np.transpose(line)), strict=True)
    far_first = np.argsort(-np.abs(dots.average_precision - expected), kind="stable")
    wanted = [(dots.labels[i].label, places[i]) for i in far_first]
    return drawn + place_names(wanted, covered, (_LEFT + 2, _TOP, _RIGHT, _BOTTOM - 2), _NAMES)


def _dots(summary: EvaluateSummary, known: bool) -> _Dots:
    labels = [label for label in summary.per_label if label.AP is not None]
    clips = [label.clips_train if known else label.positives for label in labels]
    values = [label.AP for label in labels]
    return _Dots(labels, np.array(clips, dtype=np.float64), np.array(values, dtype=np.float64))


def _clips_axis(clips: NDArray[np.float64]) -> tuple[Axis, list[int]]:
    """Round numbers that hold all counts above 0, and room for 0 where there is one."""
    some = clips[clips > 0]
    ticks = decades(some.min(), some.max()) if len(some) else [1, 2]
    zero = [0] if (clips == 0).any() else []
    start = _LEFT + _INSET_UNITS + (_ZERO_UNITS if zero else 0)
    return Axis(log10(ticks[0]), log10(ticks[-1]), start, _RIGHT - _INSET_UNITS), zero + ticks


def _place(x: Axis, clips: float) -> float:
    return x.place(log10(clips)) if clips > 0 else _LEFT + _INSET_UNITS


def _decades(ticks: Sequence[int], x: Axis, y: Axis) -> list[Markup]:
    drawn: list[Markup] = []
    for clips in ticks:
        place = _place(x, clips)
        drawn.append(path("axis", [(place, y.start), (place, y.start + 4)]))
        drawn.append(text((place, y.start + 20), "tick middle", count(clips)))
    return drawn


def _tip(label: LabelResult) -> str:
    trained = "" if label.clips_train is None else f"{count(label.clips_train)} training clips, "
    return f"{isolate(label.label)}: AP {number(label.AP)}\n{trained}{count(label.positives)} evaluated"


def _medians(across_at: NDArray[np.float64], values: NDArray[np.float64]) -> list[Point]:
    """Medians of labels with about as many clips, in groups of the same size, well apart."""
    order = np.argsort(across_at, kind="stable")
    for groups in range(min(_MOST_BINS, len(values) // _BIN_LABELS), 0, -1):
        parts = np.array_split(order, groups)
        medians = [(float(np.median(across_at[p])), float(np.median(values[p]))) for p in parts]
        if all(b[0] - a[0] >= _BIN_UNITS for a, b in pairwise(medians)):
            return medians
    return []
