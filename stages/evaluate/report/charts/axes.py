"""Axes: from values to places, with ticks and a faint grid."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from stages.evaluate.report.charts.svg import path, text

_BELOW, _LINE_UNITS = 20, 20


@dataclass(frozen=True)
class Axis:
    """Values from `low` to `high` on a line from `start` to `end`, in the drawing's units."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Where a value is; the middle, on an axis of one value."""
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


Tick = tuple[float, str]


def across(y: Axis, x: Axis, ticks: Sequence[Tick], right: bool = False) -> list[Markup]:
    """A line over the drawing at each tick of the upright axis; numbers to the left, or the right."""
    beside = x.end + 8 if right else x.start - 8
    css = "tick" if right else "tick end"
    drawn: list[Markup] = []
    for value, words in ticks:
        height = y.place(value)
        drawn.append(path("grid", [(x.start, height), (x.end, height)]))
        drawn.append(text((beside, height + 4), css, words))
    return drawn


def along(x: Axis, y: Axis, ticks: Sequence[Tick], title: str) -> list[Markup]:
    """The lower edge of the drawing with its ticks, and what they count."""
    drawn = [path("axis", [(x.start, y.start), (x.end, y.start)])]
    for value, words in ticks:
        place = x.place(value)
        drawn.append(path("axis", [(place, y.start), (place, y.start + 4)]))
        drawn.append(text((place, y.start + _BELOW), "tick middle", words))
    middle = (x.start + x.end) / 2
    return [*drawn, text((middle, y.start + _BELOW + _LINE_UNITS), "caption middle", title)]
