"""The sets that contenders are compared on, and how a model is trained on each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stages.train.settings import TrainSettings

Data = Literal["demo", "urbansound8k", "esc10", "mixtures"]
WEIGHTS = "mn04_as_mAP_432.pt"
SMOKE_CLIPS_PER_EPOCH = 32


@dataclass(frozen=True)
class EvaluationSet:
    """Clips to train on and clips to be judged by.

    Attributes:
        name: what `--sets` calls it.
        title: for the table.
        data: what it is made of.
        tuned_on: whether choices were made by looking at it; the others are for the verdict.
        folds: the fold held out by each training; 0 where there are no folds.
        epochs: of a training, if `--epochs-of` says nothing else.
        learning_rate: at its peak.
        pretrained: whether trainings start from the public weights of mn04, else `small` from scratch.
    """

    name: str
    title: str
    data: Data
    tuned_on: bool
    folds: tuple[int, ...]
    epochs: int
    learning_rate: float
    pretrained: bool = False

    def training(self, shared: Path, epochs: int, clips_per_epoch: int | None) -> TrainSettings:
        """What all trainings on this set have in common."""
        weights = shared / "data" / "weights" / WEIGHTS
        return TrainSettings(
            encoder="mn04" if self.pretrained else "small",
            init=str(weights) if self.pretrained else None,
            epochs=epochs,
            learning_rate=self.learning_rate,
            clips_per_epoch=clips_per_epoch,
            precision="float32" if self.pretrained else "bfloat16",  # half the time on a new CPU
        )


SETS = (
    EvaluationSet("a", "the demonstration's data", "demo", True, (0,), 10, 4e-3),
    EvaluationSet("b1", "UrbanSound8K, fold 1 to 2", "urbansound8k", True, (2,), 15, 4e-3),
    EvaluationSet("b2", "UrbanSound8K, fold 2 to 1", "urbansound8k", False, (1,), 15, 4e-3),
    EvaluationSet("c", "ESC-10, five folds", "esc10", False, (1, 2, 3, 4, 5), 6, 3e-4, True),
    EvaluationSet("d", "mixtures of ESC-10 and UrbanSound8K", "mixtures", False, (0,), 10, 4e-3),
)


def set_named(name: str) -> EvaluationSet:
    """The set called `name`.

    Raises:
        StopIteration: there is none; the command line offers the names that there are.
    """
    return next(one for one in SETS if one.name == name)
