"""Settings of a training as a TOML file: read before a run, written by every run."""

import difflib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from stages.errors import UsageError
from stages.lineage import spa_version
from stages.train.recipes import RECIPES
from stages.train.settings import TrainSettings

_LARGEST_BYTES = 1 << 20
_TO_LOOK_UP = "`spa train --help` lists the settings"


def read_config(path: Path) -> dict[str, Any]:
    """Read the settings that a TOML file names.

    Keys are names of `TrainSettings`, with underscores or dashes, in no table. Types are strict (a
    number in quotes is none), and each value is in its own range; what several settings say together
    is left to `TrainSettings`.

    Returns:
        The values by the settings' names.

    Raises:
        UsageError: the file cannot be read, is larger than 1 MiB or no TOML, or a key or its value
            is none of the settings'.
    """
    found: dict[str, Any] = {}
    for key, value in _parsed(path).items():
        name = key.replace("-", "_")
        if isinstance(value, dict):
            raise UsageError(f"{path} has a table [{key}]", "write its settings above, in no table")
        if name not in TrainSettings.model_fields:
            raise UsageError(f"{path} sets {key!r}, which is no setting of a training", _near(name))
        if name in found:
            other = name if key != name else name.replace("_", "-")
            raise UsageError(f"{path} sets {name} twice, as {other} and as {key}", "leave one out")
        _check(path, key, value, TrainSettings.model_fields[name])
        found[name] = value
    return found


def write_config(path: Path, settings: TrainSettings) -> None:
    """Write the file with which `spa train --config` repeats the run: every setting, by its group.

    TOML has no null: a setting that was not given is a comment. The path of `init` is written as
    it was given, so a relative one means the same from the same folder.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_text("\n".join(_lines(settings)) + "\n", encoding="utf-8")


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise UsageError(message, "name a TOML file with --config") from error
    if len(content) > _LARGEST_BYTES:
        raise UsageError(f"{path} is larger than 1 MiB", "name a TOML file of settings")
    try:
        return tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:  # of TOML, of UTF-8, of numbers, of depth
        step = "mend it; runs/NAME/train.toml of any run shows the form"
        raise UsageError(f"{path} is no TOML: {error}", step) from error


def _near(name: str) -> str:
    near = difflib.get_close_matches(name, TrainSettings.model_fields, n=1)
    return f"did you mean {near[0]}? {_TO_LOOK_UP}" if near else _TO_LOOK_UP


def _check(path: Path, key: str, value: object, field: FieldInfo) -> None:
    kind: Any = Annotated[field.annotation, field]
    alone: TypeAdapter[object] = TypeAdapter(kind)
    try:
        alone.validate_python(value, strict=True)
    except ValidationError as error:
        said = "; or: ".join(dict.fromkeys(one["msg"] for one in error.errors()))
        raise UsageError(f"{path} sets {key} to {value!r}: {said}", _TO_LOOK_UP) from error


def _lines(settings: TrainSettings) -> Iterator[str]:
    yield f"# A training by spa {spa_version()}: `spa train --config FILE` repeats it."
    yield "# Flags win over this file, and a path in it is relative to where the command is run."
    if settings.recipe is not None:
        recipe = RECIPES[settings.recipe]
        yield f"# Recipe {settings.recipe}: {recipe.citation}; {recipe.script}"
    group = None
    for name in TrainSettings.model_fields:
        if TrainSettings.group_of(name) != group:
            group = TrainSettings.group_of(name)
            yield f"\n# {group}"
        value = getattr(settings, name)
        yield f"# {name}: not given" if value is None else f"{name} = {_as_toml(value)}"


def _as_toml(value: bool | float | str) -> str:
    """TOML of a value; its strings are JSON's, but that DEL is escaped as well."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value).lower()
