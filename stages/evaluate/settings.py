"""What `spa evaluate` takes."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, field_validator, model_validator

from stages.model_names import names_a_file
from stages.settings import SOURCE, RunName, StageSettings

# What a file of scores is recognised by.
SCORE_SUFFIXES = (".parquet", ".pq", ".csv", ".tsv", ".npz")


class EvaluateSettings(StageSettings):
    """Settings of the evaluate stage."""

    name: RunName | None = Field(
        None,
        description="Run to evaluate; with --model or --scores, the name to keep the results under. [default: the newest run; of a file, its name]",
    )
    model: str | None = Field(
        None,
        min_length=1,
        description="Model that is no run here: a model.safetensors, a published checkpoint's file, or its short name such as efficientat:mn04_as.",
    )
    against: str | None = Field(
        None,
        description="What to compare with: an evaluated run, or a file as for --scores. Gives the paired difference.",
    )
    split: Literal["eval", "valid", "train"] = Field("eval", description="Clips to evaluate on.")
    scores: Path | None = Field(
        None,
        description="Predictions made elsewhere (clip_id, scores, targets) as Parquet, CSV or npz, evaluated without a model.",
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
    clips: Path | None = Field(
        None,
        description="Evaluate only on the clips listed here (ids as text, or a column clip_id of CSV or Parquet).",
        json_schema_extra=SOURCE,
    )
    group_by: str | None = Field(
        None,
        min_length=1,
        description="Draw whole groups of clips for the intervals: a column of clips.parquet (recording_id, say) or of --scores.",
    )
    threshold: tuple[Annotated[float, Field(ge=0, le=1)], ...] = Field(
        (0.5,),
        min_length=1,
        description="Score from which a label is a tag, for precision, recall and F1 (repeat for more); the first also says which false positives are confident.",
    )
    top_k: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1, 5),
        description="Where every clip has one label: count it as found among the k highest scores (repeat for more).",
    )
    resamples: int = Field(
        1000, ge=0, le=10000, description="Bootstrap resamples of the clips; 0: no intervals."
    )
    audio_clips: int = Field(
        8, ge=0, le=100, description="Clips to hear in report.html, as MP3 of at most 10 s each."
    )
    batch_size: int = Field(32, ge=1, le=65536, description="Clips scored at once.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where to compute; auto: CUDA when there is one."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of the bootstrap.")

    @model_validator(mode="before")
    @classmethod
    def _name_of_file(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Results of a file are kept under its name, where none is given.

        That of a `model.safetensors` is its folder's: the name of the run that it was.
        """
        file = values.get("scores") or values.get("model")
        if file is None or values.get("name") is not None:
            return values
        path = Path(file)
        stem = path.parent.name if path.name == "model.safetensors" else path.stem
        name = re.sub(r"[^A-Za-z0-9._-]", "-", stem).strip("._-")[:100]
        return {**values, "name": name or ("scores" if values.get("scores") else "model")}

    @field_validator("threshold", "top_k")
    @classmethod
    def _each_once(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(dict.fromkeys(values))

    @field_validator("against")
    @classmethod
    def _is_run_or_file(cls, against: str | None) -> str | None:
        if against is None or against.lower().endswith(SCORE_SUFFIXES):
            return against
        return TypeAdapter(RunName).validate_python(against)

    def sources(self) -> tuple[Path, ...]:
        """Also the model's file, and the file to compare with."""
        found = (self.model_file(), self.against_file())
        return (*super().sources(), *(path for path in found if path is not None))

    def model_file(self) -> Path | None:
        """The file of the model, where it is one."""
        return Path(self.model) if self.model is not None and names_a_file(self.model) else None

    @property
    def judges_a_run(self) -> bool:
        """Whether it is a run of the workspace that is evaluated."""
        return self.scores is None and self.model is None

    def against_file(self) -> Path | None:
        """The file to compare with, where it is one."""
        is_file = self.against is not None and self.against.lower().endswith(SCORE_SUFFIXES)
        return Path(self.against) if self.against is not None and is_file else None

    def against_run(self) -> str | None:
        """The run to compare with, where it is one."""
        return None if self.against_file() else self.against
