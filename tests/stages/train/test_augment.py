"""Level, roll, mixing and masks: what they keep, what they change, and that chance is the generator's."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stages.train.augment import change_level, drawing, hide, masks, roll


def test_a_level_is_in_decibels() -> None:
    waveform = torch.rand(3, 100)
    louder = change_level(waveform, torch.tensor([0.0, 20.0, -6.0206]))
    expected = torch.stack([waveform[0], 10 * waveform[1], 0.5 * waveform[2]])
    torch.testing.assert_close(louder, expected)


@given(samples=st.integers(1, 50), shifts=st.lists(st.integers(-80, 80), min_size=1, max_size=4))
def test_rolling_is_that_of_numpy_clip_by_clip(samples: int, shifts: list[int]) -> None:
    waveform = torch.rand(len(shifts), samples)
    rolled = roll(waveform, torch.tensor(shifts)).numpy()
    for clip, found, shift in zip(waveform.numpy(), rolled, shifts, strict=True):
        assert np.array_equal(found, np.roll(clip, shift))


@given(
    frames=st.integers(4, 60), bands=st.integers(4, 40), time=st.floats(0, 0.5), mel=st.floats(0, 0.5),
    seed=st.integers(0, 50),
)  # fmt: skip
def test_no_more_than_two_stretches_each_way_are_hidden(
    frames: int, bands: int, time: float, mel: float, seed: int
) -> None:
    hidden = masks((3, frames, bands), time, mel, drawing(seed, 0))
    for clip in hidden:
        assert clip.all(dim=1).sum() <= 2 * (time * frames + 1)
        assert clip.all(dim=0).sum() <= 2 * (mel * bands + 1)
        rest = clip[~clip.all(dim=1)][:, ~clip.all(dim=0)]
        assert not rest.any()


def test_what_is_hidden_becomes_the_clips_mean() -> None:
    log_mel = torch.randn(2, 20, 10)
    hidden = torch.zeros(2, 20, 10, dtype=torch.bool)
    hidden[1, 3:7] = True
    found = hide(log_mel, hidden)
    assert torch.equal(found[~hidden], log_mel[~hidden])
    torch.testing.assert_close(found[1, 3:7], log_mel[1].mean().expand(4, 10))


def test_chance_is_the_seeds_and_the_batchs() -> None:
    drawn = [
        masks((2, 50, 64), 0.3, 0.3, drawing(*key)) for key in ((5, 1), (5, 1), (5, 2), (6, 1))
    ]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[0], drawn[3])
    assert not masks((2, 50, 64), 0, 0, drawing(0, 0)).any()


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_masks_are_as_long_as_asked_on_average(share: float) -> None:
    """Two stretches of uniform length up to `share`, which may overlap: at most `share`, at least half."""
    hidden = masks((2000, 200, 4), share, 0, drawing(0, 0)).float().mean().item()
    assert share * 0.6 < hidden < share
