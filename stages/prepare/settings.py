"""What `spa prepare` takes and what it says when it is done."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from stages.settings import NO_EFFECT, SOURCE, StageSettings, StageSummary


class PrepareSettings(StageSettings):
    """Settings of the prepare stage."""

    source: Path = Field(description="Folder of the data set.", json_schema_extra=SOURCE)
    layout: Literal["auto", "audioset", "folder", "metadata"] = Field(
        "auto", description="How the folder is laid out; auto: found by what it holds."
    )
    ontology: Path | None = Field(
        None,
        description="Ontology in AudioSet's JSON form. [default: ontology.json in SOURCE]",
        json_schema_extra=SOURCE,
    )
    class_map: Path | None = Field(
        None,
        description="CSV (class,mids) that maps class names to ontology ids.",
        json_schema_extra=SOURCE,
    )
    sample_rate: int = Field(
        32000, ge=4000, le=192000, description="Sample rate of the stored audio in Hz."
    )
    eval_fold: tuple[int, ...] = Field(
        (), description="Fold to evaluate on; may be repeated. [default: the last fold]"
    )
    valid_share: float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="Share of the training clips kept for validation, whole recordings at a time, where the data set names none.",
    )
    max_clip_seconds: float = Field(
        600, gt=0, le=86400, description="A longer file is rejected: it bounds memory."
    )
    workers: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Worker processes. [default: one a CPU core]",
        json_schema_extra=NO_EFFECT,
    )


class PrepareSummary(StageSummary):
    """What was prepared."""

    layout: str
    clips: dict[str, int]
    hours: dict[str, float]
    labels: int
    labels_without_train_clip: tuple[str, ...]
    labels_per_clip: float
    rejects: dict[str, int]
    sample_rate: int
    audio_bytes: int
