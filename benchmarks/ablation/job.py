"""One training and what it is worth: the unit of work, and of what a kill can cost."""

import hashlib
import json
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow.parquet as pq

from ablation.contenders import Contender
from ablation.links import link
from ablation.results import Row
from ablation.scores import keep_scores
from stages.evaluate.settings import EvaluateSettings
from stages.lineage import package_versions
from stages.pipeline import EVALUATE, LABEL_EMBEDDINGS, TRAIN
from stages.reporter import QuietReporter
from stages.runner import run_stage
from stages.train.settings import TrainSettings

RUN = "run"
_ARTIFACTS = ("audio", "clips.parquet", "labels.parquet", "ontology.duckdb")


@dataclass(frozen=True)
class Job:
    """One training.

    Attributes:
        set_name: the set.
        fold: the fold that is held out.
        contender: how it is trained.
        settings: all of the train stage's settings.
        prepared: workspace of the set and fold.
        label_embeddings: the texts by the contender's prompt.
        folder: of the ablation; `running/KEY` is the training's own workspace while it runs, and
            `scores/KEY.npz` is what stays.
    """

    set_name: str
    fold: int
    contender: Contender
    settings: TrainSettings
    prepared: Path
    label_embeddings: Path
    folder: Path

    @property
    def prompt(self) -> str | None:
        """The template of the texts; None where the training needs none."""
        needed = LABEL_EMBEDDINGS in TRAIN.inputs(self.settings)
        return self.contender.prompt if needed else None

    def declared(self) -> dict[str, object]:
        """All settings that decide the weights, but the seed; of the public weights the file's name."""
        left_out = {"name", "seed", *_without_effect(self.settings)}
        kept = self.settings.model_dump(mode="json", exclude=left_out)
        if self.settings.init is not None:
            kept["init"] = Path(self.settings.init).name
        return {**kept, "average": self.settings.averaging, "prompt": self.prompt}

    @cached_property
    def key(self) -> str:
        """What names its result: 16 hex digits of a hash of the data, the texts, settings and seed."""
        inputs = [self.prepared / "clips.parquet", self.prepared / "labels.parquet"]
        if self.prompt is not None:
            inputs.append(self.label_embeddings)
        hashes = [_rows_sha256(path) for path in inputs]
        what = [self.set_name, self.fold, self.settings.seed, self.declared(), hashes]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def running(self) -> Path:
        """The workspace of the training while it runs."""
        return self.folder / "running" / self.key

    @property
    def scores(self) -> Path:
        """Where the scores stay."""
        return self.folder / "scores" / f"{self.key}.npz"

    @property
    def name(self) -> str:
        """What it is called in a line of progress."""
        fold = f" fold {self.fold}" if self.fold else ""
        return f"{self.set_name}{fold} {self.contender.name} seed {self.settings.seed}"


def _without_effect(settings: TrainSettings) -> set[str]:
    """Settings that do nothing here: a new default of one of them makes no training stale."""
    found = {
        name
        for name, field in TrainSettings.model_fields.items()
        if isinstance(field.json_schema_extra, dict)
        and field.json_schema_extra.get("changes_output") is False
    }
    if settings.alignment_weight == 0:
        found |= {"alignment", "centre_text", "text_pull"}
    if settings.alignment_weight == 0 or settings.alignment not in ("head", "soft"):
        found.add("text_temperature")
    if settings.smoothing == "none":
        found.add("smoothing_share")
    return found


def _rows_sha256(path: Path) -> str:
    """Hash of an artifact's rows alone: its lineage names folders and knows when they were touched."""
    rows = pq.read_table(path).to_pylist()
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def run_job(job: Job) -> Row:
    """Train, or go on with what a kill left, judge, and keep the scores.

    Raises:
        SpaError: the training or the evaluation failed.
    """
    started, workspace = time.perf_counter(), job.running
    link(job.prepared, workspace, _ARTIFACTS)
    link(job.label_embeddings.parent, workspace, (job.label_embeddings.name,))
    settings = job.settings.model_copy(update={"name": RUN})
    trained = run_stage(TRAIN, settings, workspace, QuietReporter()).summary
    evaluating = EvaluateSettings(name=RUN, resamples=0, audio_clips=0, device=settings.device)
    judged = run_stage(EVALUATE, evaluating, workspace, QuietReporter()).summary
    keep_scores(workspace, RUN, job.scores, seed=job.fold)
    return Row(
        key=job.key,
        set=job.set_name,
        fold=job.fold,
        contender=job.contender.name,
        seed=settings.seed,
        epochs=settings.epochs,
        settings=json.dumps(job.declared(), sort_keys=True),
        versions=json.dumps(package_versions(), sort_keys=True),
        device=trained.device,
        train_clips=trained.train_clips,
        eval_clips=judged.clips,
        mAP=judged.mAP,
        OmAP=judged.OmAP,
        OmAP_by_coarse_level=judged.OmAP_by_coarse_level,
        seconds=time.perf_counter() - started,
    )
