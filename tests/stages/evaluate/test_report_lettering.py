"""Ticks, names that fit, and SVG whose texts stay texts."""

from collections.abc import Callable
from math import log10
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.evaluate.report.charts.lettering import (
    isolate,
    shorten,
    shorten_apart,
    text_width,
)
from stages.evaluate.report.charts.naming import place_names
from stages.evaluate.report.charts.svg import element, number
from stages.evaluate.report.charts.ticks import count_ticks, decades, nice_step, tick_words, ticks


def test_names_that_begin_alike_are_told_apart() -> None:
    names = ["panns-cnn14-mAP-0.431-seed1.npz", "panns-cnn14-mAP-0.439-seed2.npz"]
    assert shorten_apart(names, 140, 15) == ["…1-seed1.npz", "…9-seed2.npz"]
    assert shorten_apart(names, 1000, 15) == names
    assert shorten_apart(["spa", "one-hot"], 140, 15) == ["spa", "one-hot"]
    assert shorten_apart(["same", "same"], 140, 15) == ["same", "same"]


@given(st.floats(1e-6, 1e6), st.integers(1, 20))
def test_a_step_is_round_and_few_enough(span: float, steps: int) -> None:
    step = nice_step(span, steps)
    mantissa = step / 10.0 ** round(log10(step) - 0.4)
    assert min(abs(mantissa - m) / m for m in (0.5, 1, 2, 5, 10)) < 1e-6
    assert span / step <= steps * (1 + 1e-6)
    assert span / step * 2.5 >= steps * (1 - 1e-6)


@given(st.floats(-1, 0.9), st.floats(0.01, 1))
def test_ticks_lie_within_and_are_evenly_apart(low: float, span: float) -> None:
    found = ticks(low, low + span)
    assert 2 <= len(found) <= 6
    assert low - 1e-6 <= found[0] <= found[-1] <= low + span + 1e-6


@given(st.integers(0, 10**9))
def test_counts_have_whole_ticks_from_0_to_above_them(largest: int) -> None:
    found = count_ticks(largest)
    assert found[0] == 0
    assert found[-1] >= max(largest, 1) > found[-2]
    assert 2 <= len(found) <= 6


@given(st.integers(1, 10**8), st.integers(1, 10**8))
def test_logarithmic_ticks_hold_all_values(a: int, b: int) -> None:
    found = decades(min(a, b), max(a, b))
    assert found[0] <= min(a, b) <= max(a, b) <= found[-1]
    assert 3 <= len(found) <= 11
    assert found == sorted(set(found))
    assert all(str(tick).rstrip("0") in {"1", "2", "5"} for tick in found)


def test_ticks_are_written_short() -> None:
    written = [tick_words(value) for value in (0, 0.5, 0.25, 1, -0.1, 0.005)]
    assert written == ["0", "0.5", "0.25", "1", "\u22120.1", "0.005"]


@given(st.text(max_size=60), st.floats(0, 300))
def test_a_shortened_name_fits_and_begins_as_the_name_does(name: str, width: float) -> None:
    short = shorten(name, width, 11)
    assert text_width(short, 11) <= width or not short
    whole = " ".join(name.split())
    assert short in ("", whole) or (short.endswith("\u2026") and whole.startswith(short[:-1]))


def test_an_endless_name_is_cut_without_measuring_all_of_it() -> None:
    assert len(shorten("ab" * 10**7, 200, 11)) < 60
    assert len(isolate("ab" * 10**7)) == 82


PLACES = st.tuples(st.floats(0, 300), st.floats(0, 200))


@given(st.lists(st.tuples(st.text("abc XYZ", min_size=1, max_size=30), PLACES), max_size=25))
def test_names_cover_neither_dots_nor_each_other_nor_the_edge(
    parse_svg: Callable[[str], list[ElementTree.Element]],
    named: list[tuple[str, tuple[float, float]]],
) -> None:
    dots = [place for _, place in named]
    drawn = parse_svg("".join(place_names(named, dots, (0, 0, 300, 200), 10)))
    assert len(drawn) <= 10
    boxes = []
    for line in drawn:
        x, y, width = (
            float(line.get("x", "")),
            float(line.get("y", "")),
            text_width(line.text or "", 11.5),
        )
        left = x - width if "end" in line.get("class", "") else x
        boxes.append((left, y - 10.4, left + width, y + 2.4))
    for i, (left, top, right, bottom) in enumerate(boxes):
        assert left >= -0.1
        assert top >= -0.2
        assert right <= 300.1
        assert bottom <= 200.1
        assert not any(left < x < right and top < y < bottom for x, y in dots)
        for other in boxes[i + 1 :]:
            assert left >= other[2] or right <= other[0] or top >= other[3] or bottom <= other[1]


@given(st.text())
def test_any_text_survives_in_text_and_in_attributes_but_for_what_xml_lacks(
    parse_svg: Callable[[str], list[ElementTree.Element]], text: str
) -> None:
    (read,) = parse_svg(element("a", {"b": text}, text))
    allowed = "".join(
        c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in text
    )
    assert (read.text or "").replace("\r", "\n") == allowed.replace("\r\n", "\n").replace(
        "\r", "\n"
    )
    assert len(read.get("b", "")) <= len(text)


@pytest.mark.parametrize(
    ("value", "written"), [(0.04, "0"), (-0.04, "0"), (1.0, "1"), (-12.34, "-12.3"), (0.06, "0.1")]
)
def test_coordinates_are_short(value: float, written: str) -> None:
    assert number(value) == written
