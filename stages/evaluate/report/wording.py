"""How the report writes numbers and says what a difference means."""

import math
from pathlib import PurePath
from typing import Literal

from stages.evaluate.summary import Interval, Severity

NOTHING = "\N{EN DASH}"  # stands in an empty cell
_MINUS = "\N{MINUS SIGN}"

Verdict = Literal["better", "worse", "unclear"]


def number(value: float | None, digits: int = 3) -> str:
    """Write a value; a dash where there is none or it is not finite."""
    return signed(value, digits).removeprefix("+")


def signed(value: float | None, digits: int = 4) -> str:
    """Write a difference: always with its sign, except where it rounds to 0."""
    if value is None or not math.isfinite(value):
        return NOTHING
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", _MINUS)


def count(value: int | None) -> str:
    """Write a whole number, with commas between thousands."""
    return NOTHING if value is None else f"{value:,}"


def percent(share: float) -> str:
    """Write a share in [0, 1] as a percentage, never 100 % of less than all."""
    return f"{min(share * 100, 99.9) if share < 1 else 100:.3g} %"


def bounds(interval: Interval, digits: int = 3) -> str:
    """Write an interval of values: "0.825 to 0.844"; empty where there is none."""
    if interval.low is None or interval.high is None:
        return ""
    return f"{number(interval.low, digits)} to {number(interval.high, digits)}"


def signed_bounds(interval: Interval, digits: int = 4) -> str:
    """Write an interval of differences: "+0.0013 to +0.0160"; empty where there is none."""
    if interval.low is None or interval.high is None:
        return ""
    return f"{signed(interval.low, digits)} to {signed(interval.high, digits)}"


def verdict(difference: Interval, less_is_better: bool = False) -> Verdict:
    """Say which model a difference speaks for: unclear unless 0 lies outside its interval."""
    if difference.low is None or difference.high is None:
        return "unclear"
    if difference.low > 0 or difference.high < 0:
        return "better" if (difference.low > 0) != less_is_better else "worse"
    return "unclear"


def verdict_words(difference: Interval, less_is_better: bool = False) -> str:
    """The verdict for a person; without an interval there is none to give."""
    if difference.low is None:
        return "no interval"
    words = {"better": "better", "worse": "worse", "unclear": "no clear difference"}
    return words[verdict(difference, less_is_better)]


def confident(severity: Severity) -> str:
    """Which tags count as confident, after "false tags"."""
    if severity.matched:
        return "among the highest scores, as many as there are true tags,"
    return f"with a score from {severity.threshold:g} on"


def short_name(name: str) -> str:
    """A run's name as it is; of a file, its name without the folders."""
    return PurePath(name).name or name
