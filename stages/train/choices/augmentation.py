"""What makes one clip many."""

from typing import Literal

from pydantic import ConfigDict, Field

from stages.settings import StageSettings


class AugmentationChoices(StageSettings):
    """How waveforms and spectrograms are changed in training."""

    model_config = ConfigDict(title="Augmentation")

    mixup_alpha: float = Field(
        0.3, ge=0, le=10, description="Mix pairs of clips, with Beta(alpha, alpha); 0: never."
    )
    mixup_share: float = Field(1.0, ge=0, le=1, description="Share of the clips that are mixed.")
    mixup_of: Literal["waveform", "log-mel"] = Field(
        "waveform", description="What is mixed: waveforms, or log-mel spectrograms."
    )
    gain_db: float = Field(
        0.0, ge=0, le=40, description="Make each clip up to this much louder or softer."
    )
    time_roll_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Rotate each clip by up to this share of its length, either way.",
    )
    time_mask_share: float = Field(
        0.1, ge=0, le=0.5, description="SpecAugment: longest masked share of the frames; two masks."
    )
    mel_mask_share: float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="SpecAugment: longest masked share of the mel bands; two masks.",
    )
    patchout_time: int = Field(
        0, ge=0, le=1000, description="Columns of patches left out in training (passt)."
    )
    patchout_mel: int = Field(
        0, ge=0, le=100, description="Rows of patches left out in training (passt)."
    )
