"""What the demonstration's data set is made from."""

from pydantic import Field

from stages.settings import NO_EFFECT, StageSettings, StageSummary


class DemoDataSettings(StageSettings):
    """Settings of the demonstration data set."""

    train_clips: int = Field(3000, ge=60, le=1000000, description="Clips to train on.")
    valid_clips: int = Field(
        400, ge=20, le=1000000, description="Clips to choose the best epoch by."
    )
    eval_clips: int = Field(
        800, ge=20, le=1000000, description="Clips to evaluate on, of presets never trained on."
    )
    clip_seconds: float = Field(2.0, ge=0.5, le=30, description="Length of a clip.")
    sample_rate: int = Field(32000, ge=8000, le=96000, description="Sample rate in Hz.")
    seed: int = Field(
        0, ge=0, le=2**31 - 1, description="Seed of presets, notes, mixtures and noise."
    )
    workers: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Worker processes. [default: one a CPU core]",
        json_schema_extra=NO_EFFECT,
    )


class DemoDataSummary(StageSummary):
    """What was rendered, and one held-out clip (below the workspace) to try the model on."""

    clips: dict[str, int]
    labels: int
    example_path: str
    example_labels: tuple[str, ...]
    sound_font: str
    sound_font_sha256: str
