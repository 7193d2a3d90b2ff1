"""A stage's settings as a command's options: same names, same defaults, same help."""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import typer
from annotated_types import Ge, Gt, Le, Lt
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from spa_cli.refusals import refusal
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
            annotation=_annotation(settings, name, is_argument=name == positional),
        )
        for name, field in settings.model_fields.items()
    ]


def ranges_of(settings: type[StageSettings]) -> dict[str, str]:
    """The range of each field that is a number within bounds, such as 0<x<=1, by the field's name.

    typer knows of no open ends, so it is told of none: `build` checks, `SectionedCommand` shows.
    """
    found = {name: _range(field.metadata) for name, field in settings.model_fields.items()}
    return {name: shown for name, shown in found.items() if shown}


def build(settings: type[S], values: dict[str, Any]) -> S:
    """Check the values and build the settings; a bad value is a usage error that names its option."""
    for name, value in values.items():
        for path in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(path, (Path, str)):
                check_text(path, name)
    try:
        return settings.model_validate(values)
    except ValidationError as error:
        raise _refused(error) from error


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


def _refused(error: ValidationError) -> typer.BadParameter:
    """What is wrong with the first bad value, or with several together."""
    first = error.errors()[0]
    if not first["loc"]:  # said by the settings' own check of all of them
        return typer.BadParameter(first["msg"].removeprefix("Value error, "))
    name = str(first["loc"][0])
    return typer.BadParameter(refusal(first), param_hint=f"--{name.replace('_', '-')}")


def _annotation(settings: type[StageSettings], name: str, *, is_argument: bool) -> Any:
    field = settings.model_fields[name]
    help_text, _, default_text = (field.description or "").partition(" [default: ")
    extra: dict[str, Any] = {"help": help_text, "show_default": default_text.rstrip("]") or True}
    words = _words(field.annotation)
    if words:
        extra |= {
            "parser": _whole_number_or(words, field),
            "metavar": "|".join(["N", *words]),
        }
    kind = str if words else _option_type(field.annotation)
    if is_argument:
        return Annotated[kind, typer.Argument(**extra | {"show_default": False})]
    extra["rich_help_panel"] = settings.group_of(name)
    return Annotated[kind, typer.Option(*_flags(name, kind), **extra)]


def _range(metadata: Sequence[object]) -> str:
    """The range of a number, such as 0<x<=1; empty where there is none."""
    lower, upper = "", ""
    for bound in metadata:
        match bound:
            case Ge(ge=end):
                lower = f"{_shown(end)}<="
            case Gt(gt=end):
                lower = f"{_shown(end)}<"
            case Le(le=end):
                upper = f"<={_shown(end)}"
            case Lt(lt=end):
                upper = f"<{_shown(end)}"
    return f"{lower}x{upper}" if lower or upper else ""


def _shown(end: object) -> str:
    return f"{end:g}" if isinstance(end, float) else str(end)


def _words(annotation: Any) -> tuple[str, ...]:
    """The words that a field takes in place of a whole number, of `int | Literal["auto"]`."""
    parts = get_args(annotation)
    literals = [get_args(part) for part in parts if get_origin(part) is Literal]
    return literals[0] if literals and len(parts) > 1 and NoneType not in parts else ()


def _whole_number_or(words: tuple[str, ...], field: FieldInfo) -> Callable[[str | int], str | int]:
    """Read one of the words or a whole number in the field's range; else it is a usage error."""
    kind = next(part for part in get_args(field.annotation) if hasattr(part, "__metadata__"))
    (declared,) = kind.__metadata__
    ends: dict[type, Any] = {type(bound): bound for bound in declared.metadata}
    lowest, highest = ends[Ge].ge, ends[Le].le

    def read(text: str | int) -> str | int:
        if text in words:
            return text
        try:
            number = int(text)
        except ValueError:  # no number, or one of thousands of digits
            number = None
        if number is None or not lowest <= number <= highest:
            choices = " nor ".join(repr(word) for word in words)
            message = f"{text!r} is neither a whole number from {lowest} to {highest} nor {choices}"
            raise typer.BadParameter(message)
        return number

    return read


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
