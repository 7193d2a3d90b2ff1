"""OmAP at each coarse level: how fast mistakes stop to count when near ones are forgiven."""

from collections.abc import Sequence
from math import floor

from markupsafe import Markup

from stages.evaluate.report.charts.axes import Axis, across, along
from stages.evaluate.report.charts.lettering import in_brackets, isolate, shorten_apart
from stages.evaluate.report.charts.svg import chart, circle, path, text
from stages.evaluate.report.charts.ticks import nice_step, tick_words, ticks
from stages.evaluate.report.content import ReportContent
from stages.evaluate.report.wording import bounds, number, short_name, signed, signed_bounds
from stages.evaluate.summary import EvaluateSummary, Interval

_WIDTH, _HEIGHT = 640.0, 340.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 120.0, 592.0, 24.0, 288.0
_NAME_UNITS, _NAME_GAP = 14.0, 39.0
_MOST_TICKS = 12


def coarse_levels(content: ReportContent) -> Markup:
    """One curve a model with the band of its interval; the names stand where the curves begin."""
    shown = [("model", content.model.summary)]
    if content.other is not None:
        shown.append(("other", content.other.summary))
    last = len(content.model.summary.OmAP_by_coarse_level) - 1
    x = Axis(0, last, _LEFT, _RIGHT)
    y = _upright_axis([summary for _, summary in shown])
    by_level = range(0, last + 1, max(1, round(nice_step(max(last, 1), _MOST_TICKS))))
    rows = [(value, tick_words(value)) for value in ticks(y.low, 1)]
    drawn = across(y, x, rows, right=True)
    drawn += along(
        x, y, [(level, str(level)) for level in by_level], "coarse level: edges that are forgiven"
    )
    drawn.append(text((_RIGHT, _TOP - 12), "caption end", "OmAP"))
    for css, summary in reversed(shown):  # the evaluated model lies on top
        drawn += _curve(css, summary, x, y)
    drawn += _names(shown, y)
    says = (
        "OmAP against coarse level",
        "; ".join(
            f"{isolate(short_name(summary.name))}: from {number(summary.OmAP_by_coarse_level[0])}"
            f" at level 0 to {number(summary.OmAP_by_coarse_level[-1])} at level {last}"
            for _, summary in shown
        ),
    )
    return chart("coarse-levels", (_WIDTH, _HEIGHT), says, *drawn)


def _upright_axis(summaries: Sequence[EvaluateSummary]) -> Axis:
    """From the round number below all that is shown, to 1."""
    intervals = [level for one in summaries for level in one.OmAP_by_coarse_level_intervals]
    shown = [end for level in intervals for end in (level.value, level.low) if end is not None]
    lowest = min(max(min(shown), 0.0), 0.95)  # of curves that are all at 1, too, there is a range
    step = nice_step(1 - lowest, 5)
    return Axis(floor(lowest / step + 1e-9) * step, 1.0, _BOTTOM, _TOP)


def _curve(css: str, summary: EvaluateSummary, x: Axis, y: Axis) -> list[Markup]:
    levels = list(enumerate(summary.OmAP_by_coarse_level_intervals))
    lows = [(x.place(i), y.place(level.low)) for i, level in levels if level.low is not None]
    highs = [(x.place(i), y.place(level.high)) for i, level in levels if level.high is not None]
    places = [(x.place(i), y.place(level.value)) for i, level in levels]
    drawn = [path(f"band {css}", [*lows, *reversed(highs)], closed=True)] if lows else []
    drawn.append(path(f"curve {css}", places))
    tips = (_tip(summary, i, level) for i, level in levels)
    return drawn + [
        circle(f"point {css}", place, 3, tip) for place, tip in zip(places, tips, strict=True)
    ]


def _tip(summary: EvaluateSummary, i: int, level: Interval) -> str:
    name = isolate(short_name(summary.name))
    tip = f"{name} at level {i}: OmAP {number(level.value)}{in_brackets(bounds(level))}"
    if summary.difference is None:
        return tip
    ahead = summary.difference.OmAP_by_coarse_level[i]
    against = isolate(short_name(summary.difference.against))
    return f"{tip}\n{signed(ahead.value)} against {against}{in_brackets(signed_bounds(ahead))}"


def _names(shown: Sequence[tuple[str, EvaluateSummary]], y: Axis) -> list[Markup]:
    """Each model's name and first value beside the start of its curve, moved apart where needed."""
    starts = [y.place(summary.OmAP_by_coarse_level[0]) for _, summary in shown]
    if len(starts) == 2 and abs(starts[0] - starts[1]) < _NAME_GAP:
        middle = sum(starts) / 2
        upper = -1 if starts[0] <= starts[1] else 1
        starts = [middle + upper * _NAME_GAP / 2, middle - upper * _NAME_GAP / 2]
    drawn: list[Markup] = []
    below = max(0.0, max(starts) + _NAME_UNITS - _BOTTOM)
    whole = [short_name(summary.name) for _, summary in shown]
    names = shorten_apart(whole, _LEFT - 18, _NAME_UNITS)
    for (css, summary), start, name in zip(shown, starts, names, strict=True):
        value = number(summary.OmAP_by_coarse_level[0])
        drawn.append(text((_LEFT - 12, start - below), f"name {css} end", name))
        drawn.append(text((_LEFT - 12, start - below + 16), f"value {css} end", value))
    return drawn
