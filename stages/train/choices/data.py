"""Which clips a training sees, how often and how long."""

from typing import Literal

from pydantic import ConfigDict, Field

from stages.settings import StageSettings


class DataChoices(StageSettings):
    """What an epoch is made of."""

    model_config = ConfigDict(title="Data")

    clip_seconds: float | None = Field(
        None,
        ge=0.5,
        le=600,
        description="Length that the model hears at once. [default: the longest training clip, 10 at most]",
    )
    sampling: Literal["shuffled", "balanced"] = Field(
        "shuffled",
        description="Order of the clips: each once an epoch, or drawn so that rare labels are heard as often as frequent ones.",
    )
    clips_per_epoch: int | None = Field(
        None, ge=1, le=10**9, description="Clips in an epoch. [default: as many as there are]"
    )
    valid_share: float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="Share of the recordings kept for validation where the data set has no split 'valid'; 0: none.",
    )
    select_by: Literal["mAP", "OmAP"] = Field(
        "mAP", description="Validation measure of the epoch that is kept."
    )
    patience: int = Field(
        0,
        ge=0,
        le=10000,
        description="Stop after this many epochs without a better one; 0: train them all.",
    )
