"""An interval as a small drawing: a hairline for the range, a bar for the interval, a dot for the value."""

from collections.abc import Sequence

from markupsafe import Markup

from stages.evaluate.summary import Interval

_ROW_UNITS = 9.0
_DOT_UNITS = 2.6


def shared_range(intervals: Sequence[Interval]) -> tuple[float, float]:
    """The least range that shows all of these intervals, with a tenth of air on either side."""
    ends = [
        end
        for interval in intervals
        for end in (interval.value, interval.low, interval.high)
        if end is not None
    ]
    air = (max(ends) - min(ends)) / 10 or 0.005
    return min(ends) - air, max(ends) + air


def interval_strip(
    rows: Sequence[tuple[str, Interval]],
    drawn: tuple[float, float],
    width: float,
    zero: bool = False,
) -> Markup:
    """Draw intervals below each other over one range.

    Args:
        rows: the class that colours each (model, other, better ...), and its interval.
        drawn: the values at the left and the right end.
        width: in the drawing's units; a row is 9 high.
        zero: mark where 0 is.
    """
    low, high = drawn

    def place(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return _DOT_UNITS + share * (width - 2 * _DOT_UNITS)

    height = _ROW_UNITS * len(rows)
    parts = [Markup('<path class="track" d="M0 {0:g}H{1:g}"/>').format(height / 2, width)]
    if zero:
        parts.append(Markup('<path class="zero" d="M{:.1f} 0V{:g}"/>').format(place(0), height))
    for row, (style, interval) in enumerate(rows):
        y = _ROW_UNITS * (row + 0.5)
        if interval.low is not None and interval.high is not None:
            parts.append(
                Markup('<path class="bar {}" d="M{:.1f} {:g}H{:.1f}"/>').format(
                    style, place(interval.low), y, place(interval.high)
                )
            )
        parts.append(
            Markup('<circle class="dot {}" cx="{:.1f}" cy="{:g}" r="{:g}"/>').format(
                style, place(interval.value), y, _DOT_UNITS
            )
        )
    return Markup(
        '<svg class="strip" aria-hidden="true" viewBox="0 0 {0:g} {1:g}" width="{0:g}"'
        ' height="{1:g}">{2}</svg>'
    ).format(width, height, Markup("").join(parts))
