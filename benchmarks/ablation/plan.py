"""Which trainings are wanted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ablation.contenders import ONE_HOT, contender_named
from ablation.job import Job
from ablation.preparation import Preparation
from ablation.sets import SMOKE_CLIPS_PER_EPOCH, EvaluationSet, set_named
from stages.train.settings import TrainSettings


@dataclass(frozen=True)
class Plan:
    """What the command line asks for.

    Attributes:
        sets: names of sets.
        contenders: names of contenders; one-hot training comes with them.
        seeds: how many, from 0.
        epochs_of: epochs of the sets that are not to have their own.
        shared: folder of the shared data.
        folder: where everything is kept.
        smoke: everything as small as can be.
    """

    sets: Sequence[str]
    contenders: Sequence[str]
    seeds: int
    epochs_of: Mapping[str, int]
    shared: Path
    folder: Path
    smoke: bool

    def jobs(self) -> list[Job]:
        """All trainings, a whole seed before the next; the data they need are made."""
        return list(self._jobs())

    def _jobs(self) -> Iterator[Job]:
        data = Preparation(self.shared, self.folder / "data", smoke=self.smoke)
        workspace, texts = cache(data.workspace), cache(data.label_embeddings)
        names = dict.fromkeys((ONE_HOT.name, *self.contenders))
        contenders = [contender_named(name) for name in names]
        for seed in range(self.seeds):
            for chosen in map(set_named, self.sets):
                base = self._training(chosen)
                for fold in chosen.folds:
                    prepared = workspace(chosen, fold)
                    for contender in contenders:
                        yield Job(
                            set_name=chosen.name,
                            fold=fold,
                            contender=contender,
                            settings=contender.settings(base, seed),
                            prepared=prepared,
                            label_embeddings=texts(prepared, contender.prompt),
                            folder=self.folder,
                        )

    def _training(self, chosen: EvaluationSet) -> TrainSettings:
        epochs = 1 if self.smoke else self.epochs_of.get(chosen.name, chosen.epochs)
        return chosen.training(self.shared, epochs, SMOKE_CLIPS_PER_EPOCH if self.smoke else None)
