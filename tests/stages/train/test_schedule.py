"""The learning rate over a training: where it starts, peaks and ends, and how it falls."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stages.models.encoders import ENCODERS
from stages.models.encoders.base import Encoder
from stages.train.choices.optimisation import OptimisationChoices
from stages.train.schedule import learning_rate_share, peak_learning_rate
from stages.train.settings import TrainSettings


@given(
    schedule=st.sampled_from(["cosine", "exponential", "constant"]),
    steps=st.integers(1, 300),
    warmup=st.floats(0, 0.99),
    final=st.floats(1e-4, 1),
)
def test_it_rises_to_the_peak_and_never_falls_below_the_final_share(
    schedule: str, steps: int, warmup: float, final: float
) -> None:
    settings = OptimisationChoices.model_validate(
        {"schedule": schedule, "warmup_share": warmup, "final_share": final}
    )
    shares = [learning_rate_share(step, steps, settings) for step in range(steps)]
    assert all(0 < share <= 1 for share in shares)
    rise = math.ceil(warmup * steps)
    assert shares[:rise] == sorted(shares[:rise])
    fall = shares[rise:]
    assert fall == sorted(fall, reverse=True)
    assert all(share >= final - 1e-12 for share in fall)


def share_at(step: int, schedule: str, final: float) -> float:
    """With ten steps of rise in 110."""
    settings = OptimisationChoices.model_validate(
        {"schedule": schedule, "warmup_share": 10 / 110, "final_share": final}
    )
    return learning_rate_share(step, 110, settings)


def test_the_rise_is_a_straight_line() -> None:
    assert [share_at(step, "constant", 0.1) for step in range(11)] == pytest.approx(
        [(step + 1) / 11 for step in range(11)]
    )


@pytest.mark.parametrize(
    ("schedule", "half_way", "quarter"),
    [
        ("cosine", 0.52, 0.04 + 0.96 * (2 + math.sqrt(2)) / 4),
        ("exponential", 0.2, math.sqrt(0.2)),
        ("constant", 1.0, 1.0),
    ],
)
def test_it_falls_as_the_schedule_says(schedule: str, half_way: float, quarter: float) -> None:
    """From 1 to 0.04: half-way between for the cosine, their geometric mean for the exponential."""
    assert share_at(10, schedule, 0.04) == pytest.approx(1.0)
    assert share_at(35, schedule, 0.04) == pytest.approx(quarter)
    assert share_at(60, schedule, 0.04) == pytest.approx(half_way)
    assert share_at(109, schedule, 0.04) == pytest.approx(
        {"cosine": 0.04, "exponential": 0.04, "constant": 1.0}[schedule], rel=0.04
    )


def test_a_training_of_one_step_takes_it_at_the_peak() -> None:
    assert learning_rate_share(0, 1, OptimisationChoices(warmup_share=0)) == 1.0


def named(encoder: str) -> Encoder:
    with torch.device("meta"):
        return ENCODERS[encoder]()


@pytest.mark.parametrize(
    ("encoder", "choices", "peak"),
    [
        ("small", {}, 4e-3),
        ("small", {"init": "x.pt"}, 3e-4),
        ("cnn14_16k", {}, 1e-3),
        ("mn40", {}, 8e-4),
        ("mn04", {"init": "x.pt"}, 3e-4),
        ("ast", {}, 1e-4),
        ("ast", {"init": "x.pt"}, 1e-5),
        ("ast", {"init": "x.pt", "freeze_encoder": True}, 3e-4),
        ("ast", {"learning_rate": 0.5}, 0.5),
        ("ast", {"init": "x.pt", "learning_rate": 0.5}, 0.5),
        ("small", {"recipe": "ast"}, 1e-5),  # the recipe's, whatever the encoder
    ],
)
def test_the_peak_is_what_was_given_or_the_encoders(
    encoder: str, choices: dict[str, object], peak: float
) -> None:
    assert peak_learning_rate(TrainSettings.model_validate(choices), named(encoder)) == peak
