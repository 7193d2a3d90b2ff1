"""What `spa train` takes and what it says when it is done."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from stages.settings import RunName, StageSettings, StageSummary

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


class TrainSettings(StageSettings):
    """Settings of the train stage."""

    name: RunName = Field("main", description="Name of the run: the model goes to runs/NAME.")
    encoder: EncoderName | None = Field(
        None,
        description="Audio encoder; small learns on two CPU cores in minutes. [default: that of --init; without, small]",
    )
    init: str | None = Field(
        None,
        min_length=1,
        description="Published weights to start from: a file, or a short name such as efficientat:mn04_as.",
    )
    loss: Literal["bce", "obce"] = Field(
        "bce",
        description="Classification loss: binary cross-entropy, or OBCE, which weighs a false alarm by its distance in the ontology.",
    )
    alignment_weight: float = Field(
        0.5,
        ge=0,
        le=100,
        description="Pull of the text embeddings, relative to the classification loss; 0: one-hot training.",
    )
    centre_text: bool = Field(
        True, description="Subtract the labels' mean text embedding before aligning."
    )
    epochs: int = Field(
        30, ge=0, le=10000, description="Passes over the training clips; 0: take --init as it is."
    )
    batch_size: int = Field(32, ge=1, le=65536, description="Clips an optimiser step.")
    learning_rate: float | None = Field(
        None,
        gt=0,
        le=10,
        description="Peak learning rate of AdamW. [default: 0.004; with --init 0.0003]",
    )
    weight_decay: float = Field(1e-2, ge=0, le=10, description="Decoupled weight decay of AdamW.")
    warmup_share: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of the steps with a rising learning rate; the rest falls as a cosine.",
    )
    clip_seconds: float | None = Field(
        None,
        ge=0.5,
        le=600,
        description="Length that the model hears at once. [default: the longest training clip, 10 at most]",
    )
    mixup_alpha: float = Field(
        0.3, ge=0, le=10, description="Mix pairs of clips, with Beta(alpha, alpha); 0: never."
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
    clip_gradient_norm: float = Field(5.0, gt=0, description="Largest norm of the gradient.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where to compute; auto: CUDA when there is one."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of everything that chance decides.")

    @model_validator(mode="after")
    def _starts_from_something(self) -> "TrainSettings":
        if self.epochs == 0 and self.init is None:
            raise ValueError(
                "--epochs 0 trains nothing: it is for taking over the weights of --init"
            )
        return self

    def sources(self) -> tuple[Path, ...]:
        """The file of `init`, where it is one."""
        is_file = self.init is not None and (":" not in self.init or Path(self.init).exists())
        return (Path(str(self.init)),) if is_file else ()

    @property
    def aligns(self) -> bool:
        """Whether the text embeddings are needed."""
        return self.alignment_weight > 0 and self.epochs > 0

    @property
    def peak_learning_rate(self) -> float:
        """The learning rate, or its default."""
        return self.learning_rate or (4e-3 if self.init is None else 3e-4)


class TrainSummary(StageSummary):
    """The trained run and how it did on the validation clips.

    `labels_known` is how many of the labels the head of `init` has weights for.
    """

    name: str
    encoder: str
    init: str | None
    labels_known: int
    alignment_weight: float
    parameters: int
    device: str
    epochs: int
    best_epoch: int
    valid_map: float | None
    train_clips: int
    valid_clips: int
    clips_per_second: float
    model: str
