"""How wide a text is, near enough to know whether it fits."""

import unicodedata
from collections.abc import Sequence
from itertools import takewhile

_NARROW = frozenset("iljtfrI.,:;'|!()[] 1-")
_BROAD = frozenset("mwMW@%—")
_ELLIPSIS = "…"
_LEAST_LETTERS = 5  # of a name that is cut: fewer say nothing


def text_width(what: str, font_size: float) -> float:
    """About how wide a text is in a sans-serif font, rather too wide than too narrow."""
    return font_size * sum(map(_ems, what))


def shorten(what: str, width: float, font_size: float) -> str:
    """The text, cut with an ellipsis to `width`; empty where not even five letters fit."""
    line = " ".join(what[:1000].split())
    if text_width(line, font_size) <= width:
        return line
    room = width - text_width(_ELLIPSIS, font_size)
    kept = 0
    while kept < len(line) and (room := room - font_size * _ems(line[kept])) >= 0:
        kept += 1
    return f"{line[:kept].rstrip(' ,')}{_ELLIPSIS}" if kept >= _LEAST_LETTERS else ""


def shorten_apart(names: Sequence[str], width: float, font_size: float) -> list[str]:
    """The names, each cut to `width`; where that would make them alike, what they begin with goes first."""
    cut = [shorten(name, width, font_size) for name in names]
    if len(set(cut)) == len(set(names)):
        return cut
    letters = takewhile(lambda same: len(set(same)) == 1, zip(*names, strict=False))
    same = sum(1 for _ in letters)
    return [shorten(f"{_ELLIPSIS}{name[same:]}", width, font_size) for name in names]


def isolate(name: str, longest: int = 80) -> str:
    """A name within a sentence: of at most `longest` characters, its writing direction its own."""
    cut = name if len(name) <= longest else f"{name[: longest - 1]}{_ELLIPSIS}"
    return f"\N{FIRST STRONG ISOLATE}{cut}\N{POP DIRECTIONAL ISOLATE}"


def in_brackets(words: str) -> str:
    """The words after a space in brackets; nothing of none."""
    return f" ({words})" if words else ""


def _ems(character: str) -> float:
    if character in _NARROW:
        return 0.36
    if character in _BROAD or unicodedata.east_asian_width(character) in "WF":
        return 1.05
    return 0.74 if character.isupper() else 0.58
