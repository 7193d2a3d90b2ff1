"""What `spa prepare` takes and what it says when it is done."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from stages.settings import NO_EFFECT, SOURCE, StageSettings, StageSummary


class PrepareSettings(StageSettings):
    """Settings of the prepare stage."""

    source: Path = Field(
        description="Folder of the data set, or a manifest in it.", json_schema_extra=SOURCE
    )
    layout: Literal[
        "auto", "audioset", "folder", "fsd50k", "huggingface", "manifest", "metadata"
    ] = Field("auto", description="How the folder is laid out; auto: found by what it holds.")
    manifest: Path | None = Field(
        None,
        description="List of the clips: CSV, TSV, JSON Lines or Parquet with the columns path and labels; paths are relative to SOURCE. [default: manifest.* in SOURCE]",
        json_schema_extra=SOURCE,
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
    labels: Path | None = Field(
        None,
        description="Keep these labels only, in this order: a CSV (mid,display_name), or an id or name a line.",
        json_schema_extra=SOURCE,
    )
    with_ancestors: bool = Field(
        False,
        description="Give every clip the ancestors of its labels too, as far as they are in the data set's label list.",
    )
    split_by: Literal["auto", "column", "fold", "hash"] = Field(
        "auto",
        description="Split by the data set's own splits, by folds, or by a hash of the recording; auto: the first of these that there is.",
    )
    eval_fold: tuple[int, ...] = Field(
        (), description="Fold to evaluate on; may be repeated. [default: the last fold]"
    )
    eval_share: float = Field(
        0.2,
        ge=0,
        le=0.9,
        description="Share of the clips kept for evaluation, whole recordings at a time, when split by hash.",
    )
    valid_share: float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="Share of the training clips kept for validation, whole recordings at a time, where the data set names none.",
    )
    sample_rate: int = Field(
        32000, ge=4000, le=192000, description="Sample rate of the stored audio in Hz."
    )
    codec: Literal["flac", "wav"] = Field(
        "flac", description="Encoding of the stored audio: flac is half as large, wav reads faster."
    )
    min_clip_seconds: float = Field(0, ge=0, le=3600, description="A shorter clip is rejected.")
    max_clip_seconds: float = Field(
        600, gt=0, le=86400, description="A longer clip is rejected: it bounds memory."
    )
    workers: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Worker processes. [default: one a CPU core]",
        json_schema_extra=NO_EFFECT,
    )

    def root(self) -> Path:
        """The folder that the clips' paths are relative to."""
        return self.source.parent if self.source.is_file() else self.source

    def list_of_clips(self) -> Path | None:
        """The manifest that the user named."""
        return self.source if self.source.is_file() else self.manifest

    def ontology_json(self) -> Path:
        """Where the ontology is, if there is one."""
        return self.ontology or self.root() / "ontology.json"

    def sources(self) -> tuple[Path, ...]:
        """All that a user's path holds, with the folder that a manifest lies in."""
        folder = (self.root(),) if self.source.is_file() else ()
        return (*folder, *super().sources())


class PrepareSummary(StageSummary):
    """What was prepared.

    `named` are the files, rows or segments that the data set names, and `coverage_percent` is the
    share of them of which clips were made. `clipped_clips` have more than 0.1 % of their samples at full scale, and
    `offset_clips` a mean beyond 1 % of it.
    """

    layout: str
    clips: dict[str, int]
    hours: dict[str, float]
    labels_per_clip: dict[str, float]
    named: int
    coverage_percent: float
    labels: int
    labels_without_clip: tuple[str, ...]
    labels_without_train_clip: tuple[str, ...]
    rejects: dict[str, int]
    silent_clips: int
    clipped_clips: int
    offset_clips: int
    sample_rate: int
    audio_bytes: int
