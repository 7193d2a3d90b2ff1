"""Settings of a training as a TOML file: read before a run, written by every run."""

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from stages.errors import UsageError
from stages.lineage import spa_version
from stages.train.recipes import RECIPES
from stages.train.settings import TrainSettings

_LARGEST_BYTES = 1 << 20
_SHOWN_NAMES = 4
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


def refuse_other_recipe(path: Path, in_file: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse a recipe that is `given` beside a file with other values for what the recipe sets.

    A flag wins over the file, but the file over a recipe: whichever won, the run would bear the name
    of a recipe that it does not follow, or leave the file aside. A file that names the same recipe
    says how it changes that.

    Args:
        path: of the file.
        in_file: what it sets, by the settings' names.
        given: the settings that were given as flags.

    Raises:
        UsageError: there is such a value; it names some.
    """
    name = given.get("recipe")
    if name is None or name == in_file.get("recipe"):
        return
    decided = {"init": in_file.get("init"), **given}
    by_recipe = RECIPES[name].under(decided)
    others = [
        key
        for key in RECIPES[name].values
        if key in in_file and key not in given and by_recipe.get(key) not in (None, in_file[key])
    ]
    if others:
        raise UsageError(
            f"{path} sets {_some(others)} otherwise than --recipe {name}",
            "leave --recipe or --config out; a file of changes to a recipe names that recipe itself",
        )


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


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


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
