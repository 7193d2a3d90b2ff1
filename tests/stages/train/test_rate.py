"""A rate in words: never nought for what moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.train.rate import in_words


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (1234.5, "1234"),
        (10.4, "10"),
        (9.96, "10.0"),
        (3.0, "3.0"),
        (1.04, "1.0"),
        (0.34, "0.34"),
        (0.041, "0.041"),
    ],
)
def test_in_words(rate: float, said: str) -> None:
    assert in_words(rate) == f"{said} clips/s"


@given(st.floats(1e-3, 1e5))
def test_what_is_said_is_near_the_truth(rate: float) -> None:
    assert float(in_words(rate).removesuffix(" clips/s")) == pytest.approx(rate, rel=0.051)
