"""Colours by class, and the key that explains them."""

from dataclasses import dataclass

from markupsafe import Markup

from stages.evaluate.report.charts.lettering import shorten
from stages.evaluate.report.charts.svg import element, number, text
from stages.evaluate.report.charts.ticks import tick_words

_STEP_UNITS, _HIGH_UNITS = 26.0, 11.0
_NAME_UNITS = 170.0


@dataclass(frozen=True)
class AveragePrecisionScale:
    """Classes ap-0 .. ap-9: a tenth of the range of AP each."""

    def css(self, value: float | None) -> str:
        """The class of an AP in [0, 1]; `none` where there is none."""
        return "none" if value is None else f"ap-{min(max(int(value * 10), 0), 9)}"

    def names(self) -> tuple[str, ...]:
        """All classes, the lowest first."""
        return tuple(f"ap-{i}" for i in range(10))

    def ticks(self) -> dict[float, str]:
        """Words below the key, by where they stand: 0 is its left end, 1 its right."""
        return {0: "0", 0.5: "0.5", 1: "1"}

    def ends(self) -> tuple[str, str]:
        """Words beside the key."""
        return "AP", ""


@dataclass(frozen=True)
class DifferenceScale:
    """Classes diff-0 .. diff-10 from -`full` or less to `full` or more; diff-5 is about none."""

    full: float
    models: tuple[str, str]

    def css(self, value: float | None) -> str:
        """The class of a difference; `none` where there is none."""
        if value is None:
            return "none"
        return f"diff-{min(max(round(5 + 5 * value / self.full), 0), 10)}"

    def names(self) -> tuple[str, ...]:
        """All classes, the lowest first."""
        return tuple(f"diff-{i}" for i in range(11))

    def ticks(self) -> dict[float, str]:
        """Words below the key, by where they stand: 0 is its left end, 1 its right."""
        full = tick_words(self.full)
        return {0.5 / 11: f"\N{MINUS SIGN}{full}", 0.5: "0", 1 - 0.5 / 11: f"+{full}"}

    def ends(self) -> tuple[str, str]:
        """Words beside the key."""
        better = [f"{shorten(name, _NAME_UNITS - 50, 12.5)} better" for name in self.models]
        return better[1], better[0]


def key(scale: AveragePrecisionScale | DifferenceScale, width: float, top: float) -> list[Markup]:
    """A row of all colours in the middle of `width`, with words below and beside."""
    names = scale.names()
    long = _STEP_UNITS * len(names)
    left = (width - long) / 2
    drawn: list[Markup] = []
    for i, css in enumerate(names):
        box = {"x": number(left + i * _STEP_UNITS), "y": number(top)}
        size = {"width": number(_STEP_UNITS - 1), "height": number(_HIGH_UNITS)}
        drawn.append(element("rect", {"class": css, **box, **size}))
    for share, words in scale.ticks().items():
        drawn.append(text((left + share * long, top + _HIGH_UNITS + 16), "tick middle", words))
    before, after = scale.ends()
    middle = top + _HIGH_UNITS - 1
    drawn.append(text((left - 10, middle), "caption end", before))
    if after:
        drawn.append(text((left + long + 10, middle), "caption", after))
    return drawn
