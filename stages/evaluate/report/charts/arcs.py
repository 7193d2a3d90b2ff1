"""Arcs of a sunburst and the names on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import cos, degrees, pi, sin, tau

from markupsafe import Markup

from stages.evaluate.report.charts.lettering import shorten, text_width
from stages.evaluate.report.charts.svg import Point, element, number, text
from stages.evaluate.report.charts.tree import Node

_FONT_UNITS, _LINE_UNITS = 11.0, 12.5
_NAME_UNITS = 118.0  # kept free around the disc for the names of ends
_MARGIN_UNITS = 6.0
_HUB_UNITS, _HUB_SHARE = 46.0, 0.8  # radius of the hole: at least, and in rings
_EMPTY_RING = 0.3  # width of a ring with hardly an arc, as a share of a full one's


@dataclass(frozen=True)
class Arc:
    """A node from one angle to another (radians, clockwise from the top), in a ring from 0 on."""

    node: Node
    start: float
    end: float
    ring: int

    @property
    def middle(self) -> float:
        """The angle halfway."""
        return (self.start + self.end) / 2


@dataclass(frozen=True)
class Disc:
    """Where the rings lie: ring i from `radii[i]` to `radii[i + 1]`.

    With room around it, an end of the tree has its name outside its arc, up to `names_end`. With
    too many ends for that it is dense.
    """

    centre: float
    radii: tuple[float, ...]
    names_end: float
    is_dense: bool

    @classmethod
    def of(cls, rings: Sequence[int], size: float) -> "Disc":
        """A disc within a square for rings of so many ends; a fuller ring is a wider one."""
        outermost = size / 2 - _MARGIN_UNITS
        radius = outermost - _NAME_UNITS
        is_dense = rings[0] * _LINE_UNITS > tau * radius
        if is_dense:
            radius = outermost
        shares = [_EMPTY_RING + (1 - _EMPTY_RING) * ends / rings[0] for ends in rings]
        hole = max(_HUB_UNITS, radius * _HUB_SHARE / (sum(shares) + _HUB_SHARE))
        unit = (radius - hole) / sum(shares)
        radii = (hole, *(hole + unit * share for share in accumulate(shares)))
        return cls(size / 2, radii, outermost, is_dense)

    def edges(self, arc: Arc) -> tuple[float, float]:
        """Radii of an arc's inner and outer edge."""
        return self.radii[arc.ring], self.radii[arc.ring + 1]

    def place(self, radius: float, angle: float) -> Point:
        """The place at a radius and an angle."""
        return self.centre + radius * sin(angle), self.centre - radius * cos(angle)


def arc_path(disc: Disc, arc: Arc) -> str:
    """The outline of an arc, as the `d` of a path; of a whole turn, two circles."""
    inner, outer = disc.edges(arc)
    if arc.end - arc.start > tau - 1e-6:
        return _circle(disc, outer) + _circle(disc, inner)
    far = _bow(disc, outer, arc.start, arc.end)
    near = _bow(disc, inner, arc.end, arc.start)
    return f"M{far}L{near}Z"


def arc_name(disc: Disc, arc: Arc, css: str, key: str) -> list[Markup]:
    """The name of an arc where it fits: along its middle or across it, or outside where it ends.

    `css` is the class of the arc's colour, which the letters on it must stand out from; `key` is an
    id of its own for the line that the name is written along.
    """
    name = arc.node.names[-1]
    inner, outer = disc.edges(arc)
    turn, middle, room = arc.end - arc.start, (inner + outer) / 2, outer - inner - 6
    along = shorten(name, turn * middle - 8, _FONT_UNITS) if room > _FONT_UNITS - 2 else ""
    if not arc.node.children and not disc.is_dense and along != name:
        words = shorten(name, disc.names_end - outer - _MARGIN_UNITS, _FONT_UNITS)
        fits = words and turn * outer >= _LINE_UNITS * 0.85
        return [_spoke(disc, arc, outer + 5, words, "label")] if fits else []
    across = shorten(name, room, _FONT_UNITS) if turn * inner > _LINE_UNITS else ""
    if not along and not across:
        return []
    if len(along) >= len(across):
        return _along(disc, arc, middle, along, (css, key))
    start = middle - min(text_width(across, _FONT_UNITS), room) / 2
    return [_spoke(disc, arc, start, across, f"on {css}")]


def _bow(disc: Disc, radius: float, start: float, end: float) -> str:
    """From one angle to another on a circle: the first place, then the arc to the last."""
    large, sweep = int(abs(end - start) > pi), int(end > start)
    first, last = disc.place(radius, start), disc.place(radius, end)
    r = number(radius)
    return f"{_pair(first)}A{r} {r} 0 {large} {sweep} {_pair(last)}"


def _circle(disc: Disc, radius: float) -> str:
    halves = _bow(disc, radius, 0, pi), _bow(disc, radius, pi, tau)
    return f"M{halves[0]}A{halves[1].partition('A')[2]}Z"


def _pair(place: Point) -> str:
    return f"{number(place[0])} {number(place[1])}"


def _spoke(disc: Disc, arc: Arc, radius: float, words: str, css: str) -> Markup:
    """Words that run outwards from a radius, never upside down."""
    right = arc.middle <= pi
    turned = degrees(arc.middle) + (-90 if right else 90)
    place = disc.place(radius, arc.middle)
    return text(place, css if right else f"{css} end", words, turned=turned, centred=True)


def _along(disc: Disc, arc: Arc, radius: float, words: str, style: tuple[str, str]) -> list[Markup]:
    """Words along the circle, never upside down."""
    css, key = style
    over = cos(arc.middle) >= 0
    baseline = radius + (-4 if over else 4)
    # A whole turn would begin where it ends, and the words at its seam.
    ends = (max(arc.start, arc.middle - pi / 2), min(arc.end, arc.middle + pi / 2))
    line = _bow(disc, baseline, *(ends if over else reversed(ends)))
    followed = element("textPath", {"href": f"#{key}", "startOffset": "50%"}, words)
    return [
        element("path", {"id": key, "class": "line", "d": f"M{line}"}),
        element("text", {"class": f"on middle {css}"}, followed),
    ]
