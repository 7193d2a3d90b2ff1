"""The pipeline: what a stage is, the stages in order, and how one is run.

A stage reads artifacts from the workspace and writes its own into a staging folder beside them.
Only when it has finished, and what it wrote has been checked, does anything move into place; the
record that says "done" appears last. So an interrupted stage leaves the workspace as it was.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Generic, TypeVar

from stages.demo_data.settings import DemoDataSettings, DemoDataSummary
from stages.embed_labels.settings import EmbedLabelsSettings, EmbedLabelsSummary
from stages.evaluate.settings import EvaluateSettings
from stages.evaluate.summary import EvaluateSummary
from stages.prepare.settings import PrepareSettings, PrepareSummary
from stages.settings import StageSettings, StageSummary
from stages.tag.settings import TagSettings, TagSummary
from stages.train.settings import TrainSettings, TrainSummary

S = TypeVar("S", bound=StageSettings)
R = TypeVar("R", bound=StageSummary)


@dataclass(frozen=True)
class Artifact:
    """A file or folder of the workspace, which stage makes it, and its schema when it is Parquet."""

    path: str
    made_by: str
    schema: str | None = None


@dataclass(frozen=True)
class Stage(Generic[S, R]):
    """A stage: its settings, the artifacts that it reads and writes, and where its code is.

    `purpose` is one line for `--help`.

    `run` is `module:function`, imported only when the stage runs; the function takes the settings
    and a `stages.context.StageContext` and returns the summary.

    `resumes_from` is for a stage that can go on where it was stopped: a folder in the staging folder.
    When that holds something, the staging folder is kept, and the next run of the same settings,
    inputs and versions finds in it what the last one left.

    `joined` is for a stage that several processes can run together: like `run`, but what the processes
    beside the first do. It returns nothing and writes nothing.

    `kept_apart_by` is the option with which two runs of the stage can go on at the same time.
    """

    name: str
    purpose: str
    settings: type[S]
    summary: type[R]
    inputs: Callable[[S], tuple[Artifact, ...]]
    outputs: Callable[[S], tuple[Artifact, ...]]
    run: str
    resumes_from: str | None = None
    joined: str | None = None
    kept_apart_by: str = "--workspace"

    def load(self) -> Callable[[S, Any], R]:
        """Import the stage's code."""
        loaded: Callable[[S, Any], R] = _loaded(self.run)
        return loaded

    def load_joined(self) -> Callable[[S, Any], None]:
        """Import the code of the processes beside the first, which this stage must have."""
        loaded: Callable[[S, Any], None] = _loaded(self.joined or "")
        return loaded


def _loaded(place: str) -> Any:
    module, function = place.split(":")
    return getattr(import_module(module), function)


CLIPS = Artifact("clips.parquet", "prepare SOURCE", "clips")
LABELS = Artifact("labels.parquet", "prepare SOURCE", "labels")
REJECTS = Artifact("rejects.parquet", "prepare SOURCE", "rejects")
ONTOLOGY = Artifact("ontology.duckdb", "prepare SOURCE")
AUDIO = Artifact("audio", "prepare SOURCE", "audio")
LABEL_EMBEDDINGS = Artifact("label_embeddings.parquet", "embed-labels", "label_embeddings")
DEMO_DATA_FOLDER = Artifact("demo-data", "demo-data")


def model_of(name: str | None) -> Artifact:
    """The model of a run."""
    return Artifact(f"runs/{name}/model.safetensors", f"train --name {name}")


def scores_of(name: str | None) -> Artifact:
    """The scores of an evaluated run."""
    return Artifact(f"runs/{name}/scores.parquet", f"evaluate --name {name}", "scores")


def _train_inputs(settings: TrainSettings) -> tuple[Artifact, ...]:
    text = (LABEL_EMBEDDINGS,) if settings.reads_texts else ()
    return (CLIPS, LABELS, AUDIO, ONTOLOGY, *text)


def _train_outputs(settings: TrainSettings) -> tuple[Artifact, ...]:
    made_by = f"train --name {settings.name}"
    return (
        model_of(settings.name),
        Artifact(f"runs/{settings.name}/history.parquet", made_by, "history"),
        Artifact(f"runs/{settings.name}/train.toml", made_by),
    )


def _evaluate_inputs(settings: EvaluateSettings) -> tuple[Artifact, ...]:
    other = (scores_of(settings.against),) if settings.against_run() else ()
    if settings.scores is not None:
        return other
    model = (model_of(settings.name),) if settings.judges_a_run else ()
    return (CLIPS, LABELS, AUDIO, ONTOLOGY, *model, *other)


def _evaluate_outputs(settings: EvaluateSettings) -> tuple[Artifact, ...]:
    folder, made_by = f"runs/{settings.name}", f"evaluate --name {settings.name}"
    return (
        *(() if settings.scores else (scores_of(settings.name),)),
        Artifact(f"{folder}/metrics.parquet", made_by, "metrics"),
        Artifact(f"{folder}/report.html", made_by),
    )


def _tag_inputs(settings: TagSettings) -> tuple[Artifact, ...]:
    of_a_run = not settings.names_a_file() and not settings.names_published()
    return (model_of(settings.model),) if of_a_run else ()


PREPARE = Stage(
    "prepare",
    "Decode and store a data set's clips and labels.",
    PrepareSettings,
    PrepareSummary,
    lambda _: (),
    lambda _: (CLIPS, LABELS, REJECTS, ONTOLOGY, AUDIO),
    "stages.prepare.run:run",
    resumes_from="parts",
)
EMBED_LABELS = Stage(
    "embed-labels",
    "Embed the labels' texts with a frozen encoder.",
    EmbedLabelsSettings,
    EmbedLabelsSummary,
    lambda _: (LABELS, ONTOLOGY),
    lambda _: (LABEL_EMBEDDINGS,),
    "stages.embed_labels.run:run",
)
TRAIN = Stage(
    "train",
    "Train a tagger, with SPA or one-hot.",
    TrainSettings,
    TrainSummary,
    _train_inputs,
    _train_outputs,
    "stages.train.run:run",
    resumes_from="training",
    joined="stages.train.run:join",
    kept_apart_by="--name",
)
EVALUATE = Stage(
    "evaluate",
    "Judge a run, or any scores, by mAP and OmAP.",
    EvaluateSettings,
    EvaluateSummary,
    _evaluate_inputs,
    _evaluate_outputs,
    "stages.evaluate.run:run",
)
TAG = Stage(
    "tag",
    "Tag audio files with a trained model.",
    TagSettings,
    TagSummary,
    _tag_inputs,
    lambda _: (),
    "stages.tag.run:run",
)

PIPELINE = (PREPARE, EMBED_LABELS, TRAIN, EVALUATE, TAG)

# Not of the pipeline: what `spa demo` prepares from.
DEMO_DATA = Stage(
    "demo-data",
    "Render the demonstration's data set.",
    DemoDataSettings,
    DemoDataSummary,
    lambda _: (),
    lambda _: (DEMO_DATA_FOLDER,),
    "stages.demo_data.run:run",
)
