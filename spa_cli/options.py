"""A stage's settings as a command's options: same names, same defaults, same help."""

import inspect
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin

import typer
from annotated_types import Ge, Le
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from stages.settings import StageSettings

S = TypeVar("S", bound=StageSettings)


def parameters_of(settings: type[StageSettings], positional: str | None) -> list[inspect.Parameter]:
    """One keyword parameter a field, typed and annotated so that typer makes an option of it.

    `positional` names the field that is an argument instead.
    """
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.is_required() else _default(field),
            annotation=_annotation(name, field, is_argument=name == positional),
        )
        for name, field in settings.model_fields.items()
    ]


def build(settings: type[S], values: dict[str, Any]) -> S:
    """Check the values and build the settings; a bad value is a usage error that names its option."""
    for name, value in values.items():
        for path in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(path, (Path, str)):
                check_text(path, name)
    try:
        return settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        said = "only letters, digits, '.', '_' and '-', and no '.', '_' or '-' first"
        if first["type"] != "string_pattern_mismatch":
            said = first["msg"]
        message = f"{said} (got {first['input']!r})"
        raise typer.BadParameter(message, param_hint=f"--{name.replace('_', '-')}") from error


def check_text(path: Path | str, name: str) -> None:
    """Refuse a path that no record could hold: file names on Linux may be any bytes."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        shown = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        message = f"{shown} is no UTF-8 text: rename it"
        raise typer.BadParameter(message, param_hint=f"--{name.replace('_', '-')}") from error


def _default(field: FieldInfo) -> Any:
    return list(field.default) if isinstance(field.default, tuple) else field.default


def _annotation(name: str, field: FieldInfo, *, is_argument: bool) -> Any:
    help_text, _, default_text = (field.description or "").partition(" [default: ")
    extra: dict[str, Any] = {"help": help_text, "show_default": default_text.rstrip("]") or True}
    for bound in field.metadata:
        if isinstance(bound, Ge):
            extra["min"] = bound.ge
        if isinstance(bound, Le):
            extra["max"] = bound.le
    kind = _option_type(field.annotation)
    if is_argument:
        return Annotated[kind, typer.Argument(**extra | {"show_default": False})]
    return Annotated[kind, typer.Option(*_flags(name, kind), **extra)]


def _option_type(annotation: Any) -> Any:
    """typer reads lists where pydantic has tuples, and shows an annotated type as it is written."""
    parts = [
        part.__origin__ if hasattr(part, "__metadata__") else part for part in get_args(annotation)
    ]
    if get_origin(annotation) is tuple:
        return list[parts[0]]  # type: ignore[valid-type]  # made at run time
    return parts[0] | None if NoneType in parts else annotation


def _flags(name: str, kind: Any) -> tuple[str, ...]:
    flag = name.replace("_", "-")
    inner = [part for part in get_args(kind) if part is not NoneType] or [kind]
    return (f"--{flag}/--no-{flag}",) if inner == [bool] else (f"--{flag}",)
