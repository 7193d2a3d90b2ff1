"""Batch sizes that fit into memory, and what is said where none does."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stages.errors import SpaError
from stages.models.tagger import Tagger
from stages.train.batch_size import (
    Trial,
    chosen,
    is_out_of_memory,
    largest_that_fits,
    out_of_memory,
)
from stages.train.precision import Precision


class Small(Trial):
    """A device that holds 20 clips a process; torch's own error is raised beyond."""

    def _step(self, clips: int) -> None:
        super()._step(min(clips, 2))
        if clips > 20:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


@pytest.fixture
def trial() -> Small:
    device = torch.device("cpu")
    return Small(Tagger("small", 3, 8), Precision("float32", device), 16000)


@given(room=st.integers(0, 1000), most=st.integers(1, 1000))
def test_the_largest_power_of_two_within_both_bounds(room: int, most: int) -> None:
    size = largest_that_fits(lambda clips: clips <= room, most)
    assert size <= min(room, most)
    assert 2 * size > min(room, most) or size == 0
    assert size & (size - 1) == 0


def test_a_trial_leaves_the_tagger_as_it_was(trial: Small) -> None:
    before = {name: tensor.clone() for name, tensor in trial.tagger.state_dict().items()}
    assert trial.fits(2)
    assert not trial.fits(64)
    assert all(
        torch.equal(tensor, before[name]) for name, tensor in trial.tagger.state_dict().items()
    )
    assert all(parameter.grad is None for parameter in trial.tagger.parameters())


def test_what_would_fit_is_named(trial: Small) -> None:
    error = out_of_memory(128, trial, processes=1)
    assert error.message == "out of memory with --batch-size 128"
    assert "--batch-size 16" in str(error.next_step)
    assert "--batch-size 32" in str(out_of_memory(128, trial, processes=2).next_step)
    assert "not even one clip" in str(out_of_memory(1, trial, processes=1).next_step)


def test_nothing_fits(trial: Small) -> None:
    trial._step = lambda _: torch.empty(2**50)  # type: ignore[method-assign,assignment]
    assert not trial.fits(1)
    assert "not even one clip" in str(out_of_memory(8, trial, processes=1).next_step)


def test_auto_is_the_usual_size_on_a_cpu(trial: Small) -> None:
    assert chosen("auto", trial, 1) == 32
    assert chosen(7, trial, 1) == 7


def test_other_errors_are_no_lack_of_memory(trial: Small) -> None:
    assert not is_out_of_memory(SpaError("x"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    trial.window_samples = 10
    with pytest.raises(Exception, match=r"."):
        trial.fits(2)
