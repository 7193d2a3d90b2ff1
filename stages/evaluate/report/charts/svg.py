"""SVG as markup whose texts cannot break out of it."""

import re
from collections.abc import Iterable, Mapping

from markupsafe import Markup, escape

Point = tuple[float, float]

# What XML 1.0 has no way to write, so that a picture taken out of the page is still one.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(name: str, attributes: Mapping[str, object], *children: str) -> Markup:
    """One SVG element; values and children that are no markup are escaped."""
    written = Markup("").join(
        Markup(' {}="{}"').format(key, _escaped(value)) for key, value in attributes.items()
    )
    return Markup("<{0}{1}>{2}</{0}>").format(
        name, written, Markup("").join(map(_escaped, children))
    )


def chart(css: str, size: Point, says: tuple[str, str], *children: str, by: str = "") -> Markup:
    """A whole chart `size` units wide and high; `says` is its name and what there is to see.

    `by` is what one of several variants of the chart shows.
    """
    key = f"{css}-{by}" if by else css
    attributes: dict[str, object] = {
        "class": f"chart {css}",
        "viewBox": f"0 0 {size[0]:g} {size[1]:g}",
        "role": "img",
        "aria-labelledby": f"{key}-title {key}-desc",
    }
    if by:
        attributes["data-by"] = by
    title = element("title", {"id": f"{key}-title"}, says[0])
    desc = element("desc", {"id": f"{key}-desc"}, says[1])
    return element("svg", attributes, title, desc, *children)


def text(place: Point, css: str, what: str, turned: float = 0.0, centred: bool = False) -> Markup:
    """A line of text, its baseline at a place, or its middle where `centred`; turned in degrees."""
    attributes: dict[str, object] = {"class": css, "x": number(place[0]), "y": number(place[1])}
    if centred:
        attributes["dy"] = "0.34em"
    if turned:
        attributes["transform"] = f"rotate({number(turned)} {number(place[0])} {number(place[1])})"
    return element("text", attributes, what)


def path(css: str, places: Iterable[Point], closed: bool = False, tip: str = "") -> Markup:
    """Straight lines from place to place; `tip` is shown by a pointer that rests on them."""
    drawn = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in places) + ("Z" if closed else "")
    return element("path", {"class": css, "d": drawn}, *tooltip(tip))


def circle(css: str, place: Point, radius: float, tip: str = "") -> Markup:
    """A dot."""
    attributes = {"class": css, "cx": number(place[0]), "cy": number(place[1]), "r": f"{radius:g}"}
    return element("circle", attributes, *tooltip(tip))


def tooltip(tip: str) -> list[Markup]:
    """The child of an element that a pointer shows; none where there is nothing to say."""
    return [element("title", {}, tip)] if tip else []


def number(value: float) -> str:
    """A coordinate to a tenth of a unit, as short as it goes."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _escaped(value: object) -> Markup:
    return value if isinstance(value, Markup) else escape(_NOT_XML.sub("\ufffd", str(value)))
