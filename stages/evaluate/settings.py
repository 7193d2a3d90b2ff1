"""What `spa evaluate` takes and what it says when it is done."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from stages.settings import SOURCE, RunName, StageSettings, StageSummary


class EvaluateSettings(StageSettings):
    """Settings of the evaluate stage."""

    name: RunName | None = Field(None, description="Run to evaluate. [default: the newest]")
    against: RunName | None = Field(
        None,
        description="An evaluated run to compare with: the paired difference, with its interval.",
    )
    split: Literal["eval", "valid", "train"] = Field("eval", description="Clips to evaluate on.")
    scores: Path | None = Field(
        None,
        description="Parquet of predictions made elsewhere (clip_id, scores, targets): evaluated without a workspace.",
        json_schema_extra=SOURCE,
    )
    ontology: Path | None = Field(
        None,
        description="With --scores: ontology in AudioSet's JSON form.",
        json_schema_extra=SOURCE,
    )
    labels: Path | None = Field(
        None,
        description="With --scores: CSV (index,mid,display_name) of the labels in score order.",
        json_schema_extra=SOURCE,
    )
    resamples: int = Field(
        1000, ge=0, le=100000, description="Bootstrap resamples of the clips; 0: no intervals."
    )
    batch_size: int = Field(32, ge=1, le=65536, description="Clips scored at once.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where to compute; auto: CUDA when there is one."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of the bootstrap.")


class Interval(StageSummary):
    """A value with its 95 % bootstrap interval over clips (null without resamples)."""

    value: float
    low: float | None
    high: float | None


class Difference(StageSummary):
    """This run minus the other, on the same clips, resampled together."""

    against: str
    mAP: Interval  # noqa: N815 - the field's own spelling
    OmAP: Interval


class LabelResult(StageSummary):
    """One label's measures; null where a measure is not defined, or d' infinite."""

    label_index: int
    mid: str
    label: str
    positives: int
    AP: float | None
    OmAP: float | None
    AUC: float | None
    d_prime: float | None


class EvaluateSummary(StageSummary):
    """The measures over all labels, and per label."""

    name: str
    split: str | None
    clips: int
    clips_without_labels: int
    labels: int
    labels_without_positives: int
    mAP: float  # noqa: N815
    mAP_interval: Interval  # noqa: N815
    OmAP: float
    OmAP_interval: Interval
    OmAP_is_meaningless: bool
    OmAP_by_coarse_level: tuple[float, ...]
    AUC: float | None
    d_prime: float | None
    chance_mAP: float  # noqa: N815
    disconnected_label_pairs: int
    per_label: tuple[LabelResult, ...]
    difference: Difference | None
