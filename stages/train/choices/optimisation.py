"""How the weights move."""

import math
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from stages.settings import StageSettings

Average = Literal["none", "ema", "swa"]
BatchSize = Annotated[int, Field(ge=1, le=65536)] | Literal["auto"]


def epochs_averaged(share: float, epochs: int) -> int:
    """How many of `epochs`, the last ones, are a `share` in (0, 1] of them, rounded up."""
    return math.ceil(share * epochs - 1e-9)


class OptimisationChoices(StageSettings):
    """Epochs, steps, learning rate and averaging."""

    model_config = ConfigDict(title="Optimisation")

    epochs: int = Field(
        30, ge=0, le=10000, description="Passes over the training clips; 0: take --init as it is."
    )
    batch_size: BatchSize = Field(
        32,
        description="Clips a batch, over all processes; auto: as many as the GPU's memory holds, 256 at most.",
    )
    accumulate: int = Field(
        1, ge=1, le=1024, description="Batches whose gradients make one optimiser step."
    )
    learning_rate: float | None = Field(
        None,
        gt=0,
        le=10,
        description="Peak learning rate of AdamW. [default: the encoder's, of small 0.004; with --init 0.0003, of ast and passt 0.00001]",
    )
    schedule: Literal["cosine", "exponential", "constant"] = Field(
        "cosine", description="How the learning rate falls after its rise."
    )
    final_share: float = Field(
        0.01,
        gt=0,
        le=1,
        description="Share of the peak learning rate that is left at the end.",
    )
    warmup_share: float = Field(
        0.1, ge=0, lt=1, description="Share of the steps with a rising learning rate."
    )
    weight_decay: float = Field(1e-2, ge=0, le=10, description="Decoupled weight decay of AdamW.")
    beta1: float = Field(0.9, ge=0, lt=1, description="AdamW's decay of the gradient's mean.")
    layer_decay: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Factor of the learning rate from each layer to the one below it; 1: the same for all.",
    )
    freeze_encoder: bool = Field(
        False, description="Train head and projection alone; the encoder stays as it is."
    )
    clip_gradient_norm: float = Field(
        5.0, gt=0, le=1e9, description="Largest norm of the gradient."
    )
    average: Average | None = Field(
        None,
        description="Keep an average of the weights: exponential over steps, or plain over the last epochs. [default: swa; with --patience none]",
    )
    ema_decay: float = Field(
        0.999,
        ge=0,
        lt=1,
        description="Share of the old average kept at each step, with --average ema.",
    )
    swa_share: float = Field(
        0.25,
        gt=0,
        le=1,
        description="Share of the epochs, the last ones, that --average swa takes in.",
    )
