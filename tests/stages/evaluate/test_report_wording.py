"""Numbers and differences as the report writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.evaluate.report.interval_strip import interval_strip, shared_range
from stages.evaluate.report.wording import (
    count,
    number,
    percent,
    short_name,
    signed,
    verdict,
    verdict_words,
)
from stages.evaluate.summary import Interval

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
finite = st.floats(-1, 1)


def interval(low: float | None, high: float | None, value: float = 0.0) -> Interval:
    return Interval(value=value, low=low, high=high)


@pytest.mark.parametrize(
    ("value", "plain", "with_sign"),
    [
        (0.12345, "0.123", "+0.1235"),
        (-0.5, f"{MINUS}0.500", f"{MINUS}0.5000"),
        (0.0, "0.000", "0.0000"),
        (-0.00001, "0.000", "0.0000"),
        (None, DASH, DASH),
        (float("nan"), DASH, DASH),
        (float("inf"), DASH, DASH),
    ],
)
def test_numbers(value: float | None, plain: str, with_sign: str) -> None:
    assert number(value) == plain
    assert signed(value) == with_sign


def test_counts_and_shares() -> None:
    assert count(20371) == "20,371"
    assert count(None) == DASH
    assert percent(1.0) == "100 %"
    assert percent(0.99999) == "99.9 %"
    assert percent(0.5) == "50 %"


@pytest.mark.parametrize(
    ("low", "high", "says", "less_says"),
    [
        (0.01, 0.02, "better", "worse"),
        (-0.02, -0.01, "worse", "better"),
        (-0.01, 0.01, "unclear", "unclear"),
        (0.0, 0.01, "unclear", "unclear"),
        (None, None, "unclear", "unclear"),
    ],
)
def test_verdicts(low: float | None, high: float | None, says: str, less_says: str) -> None:
    assert verdict(interval(low, high)) == says
    assert verdict(interval(low, high), less_is_better=True) == less_says


def test_verdicts_in_words() -> None:
    assert verdict_words(interval(-0.1, 0.1)) == "no clear difference"
    assert verdict_words(interval(None, None)) == "no interval"


def test_names_of_files_lose_their_folders() -> None:
    assert short_name("results/other/scores.npz") == "scores.npz"
    assert short_name("one-hot") == "one-hot"


@given(st.lists(st.tuples(finite, finite, finite), min_size=1, max_size=3))
def test_a_strip_stays_within_its_drawing(ends: list[tuple[float, float, float]]) -> None:
    rows = [("model", interval(min(three), max(three), sorted(three)[1])) for three in ends]
    drawn = shared_range([one for _, one in rows])
    assert drawn[0] < min(map(min, ends))
    assert drawn[1] > max(map(max, ends))
    strip = interval_strip(rows, drawn, 64.0, zero=True)
    centres = [float(piece.split('"')[0]) for piece in strip.split('cx="')[1:]]
    assert len(centres) == len(ends)
    assert all(0 <= centre <= 64 for centre in centres)
    in_order = sorted(range(len(ends)), key=lambda i: rows[i][1].value)
    assert [centres[i] for i in in_order] == sorted(centres)
