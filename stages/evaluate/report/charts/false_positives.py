"""Confident false positives by their distance from the truth, beside what chance would give."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from stages.evaluate.report.charts.axes import Axis, across, along
from stages.evaluate.report.charts.lettering import isolate, shorten_apart, text_width
from stages.evaluate.report.charts.svg import chart, element, number, path, text, tooltip
from stages.evaluate.report.charts.ticks import count_ticks, nice_step
from stages.evaluate.report.content import Model, ReportContent
from stages.evaluate.report.wording import count, percent, short_name

_WIDTH, _HEIGHT = 640.0, 320.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 628.0, 40.0, 270.0
_SHOWN_SHARE = 0.002  # of tags drawn at random: below it, an empty far end is left out
_FILLED = 0.76  # of a distance's width, by bars
_MOST_TICKS = 16
_NAME_UNITS, _FONT_UNITS = 200.0, 15.0  # for all names together
_BOLD = 1.15  # bold names are so much wider


def false_positives(content: ReportContent) -> Markup:
    """One bar a distance and model; a dashed step is as many tags drawn at random as the model's."""
    shown = [("model", content.model)]
    if content.other is not None:
        shown.append(("other", content.other))
    chance = np.nan_to_num(content.expected_distances)
    by_chance = chance * content.model.false_positives.sum()
    last = _last_distance([model.false_positives for _, model in shown], chance)
    if last == 0:
        nothing = text((_WIDTH / 2, _HEIGHT / 2), "caption middle", "no confident false positives")
        return chart("false-positives", (_WIDTH, _HEIGHT), _says(shown), nothing)
    highest = max(float(by_chance.max()), *(float(m.false_positives.max()) for _, m in shown))
    rows = count_ticks(highest)
    x, y = Axis(0.5, last + 0.5, _LEFT, _RIGHT), Axis(0, rows[-1], _BOTTOM, _TOP)
    step = max(1, round(nice_step(last, _MOST_TICKS)))
    columns = [(float(d), str(d)) for d in range(1, last + 1) if d % step == 0 or step == 1]
    drawn = across(y, x, [(float(row), count(row)) for row in rows])
    drawn += along(x, y, columns, "distance to the nearest label that the clip has, in edges")
    for distance in range(1, last + 1):
        drawn += _bars(shown, distance, float(chance[distance]), (x, y))
    drawn.append(path("chance", _steps(by_chance, last, x, y)))
    drawn += _key(shown)
    return chart("false-positives", (_WIDTH, _HEIGHT), _says(shown), *drawn)


def _last_distance(counts: Sequence[NDArray[np.int64]], chance: NDArray[np.float64]) -> int:
    """The largest distance with something to show."""
    something = (chance > _SHOWN_SHARE) & (sum(each.sum() for each in counts) > 0)
    for each in counts:
        something = something | (each > 0)
    return int(np.flatnonzero(something)[-1]) if something.any() else 0


def _bars(
    shown: Sequence[tuple[str, Model]], distance: int, chance: float, axes: tuple[Axis, Axis]
) -> list[Markup]:
    x, y = axes
    unit = x.place(1) - x.place(0)
    width = _FILLED * unit / len(shown)
    left = x.place(distance) - _FILLED * unit / 2
    drawn: list[Markup] = []
    for i, (css, model) in enumerate(shown):
        found, total = int(model.false_positives[distance]), int(model.false_positives.sum())
        top = y.place(found)
        box = {
            "class": f"bar {css}",
            "x": number(left + i * width),
            "y": number(top),
            "width": number(width - 1),
            "height": number(y.start - top),
        }
        edges = "1 edge" if distance == 1 else f"{distance} edges"
        share = percent(found / total) if total else "0 %"
        tip = f"{edges} off: {count(found)} false positives of {isolate(short_name(model.summary.name))},"
        tip += f" {share} of its own\nof tags drawn at random: {percent(chance)}"
        drawn.append(element("rect", box, *tooltip(tip)))
    return drawn


def _steps(heights: NDArray[np.float64], last: int, x: Axis, y: Axis) -> list[tuple[float, float]]:
    places: list[tuple[float, float]] = []
    for distance in range(1, last + 1):
        height = y.place(float(heights[distance]))
        places += [(x.place(distance - 0.5), height), (x.place(distance + 0.5), height)]
    return places


def _key(shown: Sequence[tuple[str, Model]]) -> list[Markup]:
    """What the colours mean, in a row above the bars."""
    drawn: list[Markup] = []
    left = _LEFT
    whole = [short_name(model.summary.name) for _, model in shown]
    names = shorten_apart(whole, _NAME_UNITS / len(shown), _FONT_UNITS)
    for (css, _), name in zip(shown, names, strict=True):
        square = {"class": f"bar {css}", "x": number(left), "y": "8", "width": "11", "height": "11"}
        drawn += [element("rect", square), text((left + 17, 18), f"name {css}", name)]
        left += 17 + _BOLD * text_width(name, _FONT_UNITS) + 26
    drawn.append(path("chance", [(left, 14), (left + 22, 14)]))
    drawn.append(text((left + 29, 18), "caption", "as many tags drawn at random"))
    return drawn


def _says(shown: Sequence[tuple[str, Model]]) -> tuple[str, str]:
    each = (
        f"{isolate(short_name(model.summary.name))}: {count(int(model.false_positives.sum()))}"
        f" from a score of {model.threshold:.3g} on"
        for _, model in shown
    )
    return "False positives by distance from the truth", "; ".join(each)
