"""What `spa prepare --check` takes and what it says when it is done."""

from pydantic import Field

from stages.settings import NO_EFFECT, StageSettings, StageSummary


class CheckSettings(StageSettings):
    """Settings of the check."""

    workers: int | None = Field(
        None,
        ge=1,
        le=256,
        description="Threads that decode. [default: one a CPU core]",
        json_schema_extra=NO_EFFECT,
    )


class Problem(StageSummary):
    """One thing that is not as `spa prepare` left it: where, what, and what to do about it."""

    where: str
    what: str
    next_step: str


class CheckSummary(StageSummary):
    """What was found. `problems` are the first few of `problem_count`."""

    whole: bool
    clips: int
    hours: float
    labels: int
    rejects: int
    shards: int
    sample_rate: int | None
    audio_bytes: int
    problem_count: int
    problems: tuple[Problem, ...]
