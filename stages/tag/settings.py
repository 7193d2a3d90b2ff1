"""What `spa tag` takes and what it says when it is done."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from stages.model_names import names_a_file, names_published
from stages.settings import SOURCE, StageSettings, StageSummary


class TagSettings(StageSettings):
    """Settings of the tag stage."""

    files: tuple[Path, ...] = Field(
        min_length=1, description="Audio files to tag.", json_schema_extra=SOURCE
    )
    topk: int = Field(5, ge=1, le=100000, description="Tags a file.")
    model: str | None = Field(
        None,
        description="Name of a run, a model.safetensors, a published checkpoint's file, or its short name such as efficientat:mn04_as. [default: the workspace's newest run]",
    )
    windows: bool = Field(
        False, description="Also give the tags of each window of the model's length."
    )
    max_seconds: float = Field(
        7200, gt=0, description="A longer file is refused: it bounds memory."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where to compute; auto: CUDA when there is one."
    )

    def names_a_file(self) -> bool:
        """Whether `model` is a path to a file."""
        return self.model is not None and names_a_file(self.model)

    def names_published(self) -> bool:
        """Whether `model` is the short name of a published checkpoint."""
        return self.model is not None and names_published(self.model)

    def sources(self) -> tuple[Path, ...]:
        """The audio files, and the model when it is a file."""
        model = (Path(str(self.model)),) if self.names_a_file() else ()
        return (*self.files, *model)


class Tag(StageSummary):
    """One label and how likely it is."""

    mid: str
    label: str
    score: float


class Window(StageSummary):
    """The tags of one stretch of a file."""

    start_seconds: float
    end_seconds: float
    tags: tuple[Tag, ...]


class TaggedFile(StageSummary):
    """One file's tags, or why it has none."""

    path: str
    duration_seconds: float | None = None
    tags: tuple[Tag, ...] = ()
    windows: tuple[Window, ...] | None = None
    error: str | None = None


class TagSummary(StageSummary):
    """All files, in the order given."""

    model: str
    files: tuple[TaggedFile, ...]
