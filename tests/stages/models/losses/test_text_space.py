"""Centred texts."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from stages.models.losses.text_space import centred


def unit_texts(labels: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(labels, 8, generator=generator), dim=1)


def test_centred_texts_have_unit_length_and_less_in_common() -> None:
    texts = unit_texts(5)
    crowded = functional.normalize(texts + 3 * texts[:1], dim=1)
    spread = centred(crowded)
    torch.testing.assert_close(spread.norm(dim=1), torch.ones(5))
    assert (spread @ spread.T).mean() < (crowded @ crowded.T).mean() / 2


@given(st.integers(1, 20), st.integers(0, 1000))
def test_texts_that_are_all_one_have_no_direction(labels: int, seed: int) -> None:
    """Rounding leaves something when the mean is subtracted: it must not be blown up to unit length."""
    texts = unit_texts(1, seed).repeat(labels, 1)
    assert torch.equal(centred(texts), torch.zeros(labels, 8))


def test_equal_texts_stay_equal() -> None:
    texts = unit_texts(4)[[0, 1, 0, 2, 3]]
    found = centred(texts)
    assert torch.equal(found[0], found[2])
