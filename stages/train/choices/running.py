"""Which run, from which weights, and how it is computed."""

from typing import Literal

from pydantic import ConfigDict, Field

from stages.settings import NO_EFFECT, RunName, StageSettings

EncoderName = Literal[
    "small",
    "cnn14",
    "cnn14_16k",
    "efficientnet_b2",
    "ast",
    "passt",
    "mn04",
    "mn10",
    "mn40",
    "dymn10",
    "htsat",
]

RecipeName = Literal["panns", "efficientat", "ast", "passt"]


class RunningChoices(StageSettings):
    """What is trained, and on what."""

    model_config = ConfigDict(title="Running")

    name: RunName = Field("main", description="Name of the run: the model goes to runs/NAME.")
    recipe: RecipeName | None = Field(
        None,
        description="Train as a paper did: what it set is the default of what is not given here.",
    )
    encoder: EncoderName | None = Field(
        None,
        description="Audio encoder; small learns on two CPU cores in minutes. [default: that of --init; without, small]",
    )
    init: str | None = Field(
        None,
        min_length=1,
        description="Weights to start from: a published file, its short name such as efficientat:mn04_as, or a model.safetensors of another run.",
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of everything that chance decides.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where to compute; auto: CUDA when there is one."
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="Numbers that encoder and head compute with; auto: bfloat16 on CUDA, float32 on the CPU.",
    )
    compile: bool = Field(
        False, description="Compile the encoder with torch.compile: slower to start, then faster."
    )
    save_minutes: float = Field(
        5.0,
        ge=0,
        le=1440,
        description="Longest time between two saved states within an epoch; one is saved after each.",
        json_schema_extra=NO_EFFECT,
    )
    cache_gb: float = Field(
        2.0,
        ge=0,
        le=10000,
        description="Memory for decoded training clips, in GB: they need not be decoded again.",
        json_schema_extra=NO_EFFECT,
    )
