"""What every stage's settings and summary share. Imports nothing heavy: the command line reads this."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

# A field marked so can change how a stage runs, but not what it writes (the number of workers, say).
NO_EFFECT: JsonDict = {"changes_output": False}

# A field marked so is a path to something of the user's, whose content is part of the lineage.
SOURCE: JsonDict = {"source": True}

RunName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class StageSettings(BaseModel):
    """Settings of one stage: checked, complete and unchangeable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def sources(self) -> tuple[Path, ...]:
        """Files and folders of the user's whose content decides what the stage writes."""
        found: list[Path] = []
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if field.json_schema_extra == SOURCE and value is not None:
                found.extend(value if isinstance(value, tuple) else (value,))
        return tuple(found)

    @classmethod
    def group_of(cls, name: str) -> str | None:
        """Title of the class that declares the field `name`; None: it has no title."""
        families = (base for base in reversed(cls.__mro__) if issubclass(base, StageSettings))
        return next(base for base in families if name in base.model_fields).model_config.get(
            "title"
        )


class StageSummary(BaseModel):
    """What a stage says when it is done; `--json` prints it as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")
