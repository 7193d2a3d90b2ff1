"""What `spa train` takes and what it says when it is done."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, model_validator

from stages.model_names import names_published
from stages.settings import StageSummary
from stages.train.choices.augmentation import AugmentationChoices
from stages.train.choices.data import DataChoices
from stages.train.choices.losses import LossChoices
from stages.train.choices.optimisation import Average, OptimisationChoices
from stages.train.choices.running import EncoderName, RecipeName, RunningChoices
from stages.train.recipes import RECIPES

__all__ = ["EncoderName", "RecipeName", "TrainSettings", "TrainSummary"]


class TrainSettings(
    AugmentationChoices, OptimisationChoices, DataChoices, LossChoices, RunningChoices
):
    """Settings of the train stage: those of `stages/train/choices`, in one.

    Where a `recipe` is named, what is not given (or is None) is as the recipe has it.
    """

    model_config = ConfigDict(title="Train")

    @model_validator(mode="before")
    @classmethod
    def _by_the_recipe(cls, given: Any) -> Any:
        name = given.get("recipe") if isinstance(given, Mapping) else None
        recipe = next((found for known, found in RECIPES.items() if known == name), None)
        return given if recipe is None else recipe.under(given)

    @model_validator(mode="after")
    def _starts_from_something(self) -> "TrainSettings":
        if self.epochs == 0 and self.init is None:
            raise ValueError(
                "--epochs 0 trains nothing: it is for taking over the weights of --init"
            )
        if self.freeze_encoder and self.projects:
            raise ValueError(
                f"--freeze-encoder with --alignment {self.alignment} is one-hot training: that rule reaches"
                " the head through the encoder alone; take the rule head"
            )
        if self.init is not None and "\0" in self.init:
            raise ValueError("--init has a null character")
        return self

    def sources(self) -> tuple[Path, ...]:
        """The file of `init`, where it is one. (A folder is refused later, and not looked through.)"""
        if self.init is None or names_published(self.init) or Path(self.init).is_dir():
            return ()
        return (Path(self.init),)

    @property
    def averaging(self) -> Average:
        """The average of the weights that is kept: with `patience`, none that comes at the end alone."""
        if self.average is None:
            return "none" if self.patience else "swa"
        return self.average

    @property
    def aligns(self) -> bool:
        """Whether the clips are aligned with the texts."""
        return self.alignment_weight > 0 and self.epochs > 0

    @property
    def projects(self) -> bool:
        """Whether the clips are projected into the space of the texts."""
        return self.aligns and self.alignment != "head"

    @property
    def pulls(self) -> bool:
        """Whether the texts take part in scoring."""
        return self.aligns and self.text_pull > 0

    @property
    def reads_texts(self) -> bool:
        """Whether the labels' text embeddings are needed."""
        return self.aligns or (self.smoothing == "text" and self.epochs > 0)

    @property
    def reads_distances(self) -> bool:
        """Whether a loss needs the distances in the ontology."""
        return self.loss != "bce" or self.smoothing == "ontology"


class TrainSummary(StageSummary):
    """The trained run and how it did on the validation clips.

    `labels_known` is how many of the labels the head of `init` has weights for; `text_temperature` what
    the rules head and soft spread the texts by. `train_clips` is how many clips there are to train on,
    `clips_per_epoch` how many an epoch drew of them; None: as many.
    """

    name: str
    encoder: str
    init: str | None
    labels_known: int
    alignment_weight: float
    alignment: str | None
    text_temperature: float | None
    learning_rate: float
    parameters: int
    device: str
    epochs: int
    best_epoch: int
    best_averaged: bool = False
    valid_map: float | None
    valid_omap: float | None
    train_clips: int
    clips_per_epoch: int | None = None
    valid_clips: int
    clips_per_second: float
    model: str
