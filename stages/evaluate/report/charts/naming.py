"""Names beside dots, where there is room for them."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from stages.evaluate.report.charts.lettering import shorten, text_width
from stages.evaluate.report.charts.svg import Point, text

_FONT_UNITS, _LINE_UNITS = 11.5, 13.0
_LONGEST_UNITS = 150.0
_OFF_UNITS = 7.0  # between a dot's middle and its name
_DOT_UNITS = 3.0
_TRIED = 6  # names tried for each that is wanted: those in a crowd find no room

Box = tuple[float, float, float, float]  # left, top, right, bottom


def place_names(
    wanted: Sequence[tuple[str, Point]], dots: Sequence[Point], frame: Box, most: int
) -> list[Markup]:
    """Write at most `most` of the names, the first before the last, each right or left of its dot.

    A name that would leave the frame, or cover a dot or another name, is left out.
    """
    centres = np.array(dots, dtype=np.float64).reshape(-1, 2)
    taken: list[Box] = []
    drawn: list[Markup] = []
    for name, (x, y) in wanted[: most * _TRIED]:
        words = shorten(name, _LONGEST_UNITS, _FONT_UNITS)
        width = text_width(words, _FONT_UNITS)
        top, bottom = y - _LINE_UNITS / 2, y + _LINE_UNITS / 2
        right = (x + _OFF_UNITS, top, x + _OFF_UNITS + width, bottom)
        left = (x - _OFF_UNITS - width, top, x - _OFF_UNITS, bottom)
        for box, place, css in ((right, right[0], "label"), (left, left[2], "label end")):
            if words and _is_free(box, frame, taken, centres):
                taken.append(box)
                drawn.append(text((place, y + 4), css, words))
                break
        if len(drawn) == most:
            break
    return drawn


def _is_free(box: Box, frame: Box, taken: Sequence[Box], centres: NDArray[np.float64]) -> bool:
    left, top, right, bottom = box
    if left < frame[0] or top < frame[1] or right > frame[2] or bottom > frame[3]:
        return False
    if any(left < r and right > l and top < b and bottom > t for l, t, r, b in taken):  # noqa: E741
        return False
    x, y = centres[:, 0], centres[:, 1]
    near_x = (x > left - _DOT_UNITS) & (x < right + _DOT_UNITS)
    return not bool((near_x & (y > top - _DOT_UNITS) & (y < bottom + _DOT_UNITS)).any())
