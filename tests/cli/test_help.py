"""`--help` is light, complete and the same as the settings."""

import math
import re
import subprocess
import sys
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from typer.main import get_command

from spa_cli.app import build_app
from stages.pipeline import PIPELINE, Stage

HEAVY = (
    "torch",
    "librosa",
    "duckdb",
    "pyarrow",
    "numpy",
    "scipy",
    "soundfile",
    "open_clip",
    "transformers",
)


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"], []])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from spa_cli.main import main\n"
        f"sys.argv = ['spa', *{arguments!r}]\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize("stage", PIPELINE, ids=lambda stage: stage.name)
def test_options_are_the_settings(stage: Stage) -> None:  # type: ignore[type-arg]
    command = get_command(build_app()).commands[stage.name]  # type: ignore[attr-defined]
    parameters = {parameter.name: parameter for parameter in command.params}
    shared = {"workspace", "as_json", "force", "check", "run", "config", "help"}
    assert set(parameters) - shared == set(stage.settings.model_fields)
    for name, field in stage.settings.model_fields.items():
        parameter = parameters[name]
        help_text = (field.description or "").partition(" [default: ")[0]
        assert help_text
        assert parameter.help == help_text
        if not field.is_required():
            expected = list(field.default) if isinstance(field.default, tuple) else field.default
            assert parameter.default == expected
        if parameter.param_type_name == "option":
            assert f"--{name.replace('_', '-')}" in parameter.opts


def test_the_commands_are_the_pipeline_and_the_demo() -> None:
    commands = get_command(build_app()).commands  # type: ignore[attr-defined]
    assert list(commands) == [stage.name for stage in PIPELINE] + ["demo"]


RANGE = re.compile(r"(?:([-+.e\d]+)(<=?))?x(?:(<=?)([-+.e\d]+))?\]")


def shown_ranges(stage: str, capsys: pytest.CaptureFixture[str]) -> dict[str, re.Match[str]]:
    """What `--help` says of the options' ranges."""
    with pytest.raises(SystemExit):
        get_command(build_app())([stage, "--help"])
    entries = re.split(r"\n  --", capsys.readouterr().out)
    found = {}
    for entry in entries:
        said = RANGE.search("".join(entry.split()))
        if said is not None and (said[1] or said[4]):
            found[entry.split()[0].replace("-", "_")] = said
    return found


def takes(field: FieldInfo, value: float) -> bool:
    kind: Any = Annotated[field.annotation, field]
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("stage", PIPELINE, ids=lambda stage: stage.name)
def test_the_ends_that_are_shown_are_the_true_ones(
    stage: Stage,  # type: ignore[type-arg]
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = shown_ranges(stage.name, capsys)
    fields = stage.settings.model_fields
    for name, said in shown.items():
        lower, from_it, to_it, upper = said.groups()
        whole = int in (fields[name].annotation, *getattr(fields[name].annotation, "__args__", ()))
        for end, sign, beyond in ((lower, from_it, -math.inf), (upper, to_it, math.inf)):
            if end is None:
                continue
            value = float(end)
            outside = value + math.copysign(1, beyond) if whole else math.nextafter(value, beyond)
            assert takes(fields[name], value) == (sign == "<="), f"{name}: {said[0]}"
            assert not takes(fields[name], outside), f"{name}: {said[0]}"
    for name, field in fields.items():  # and none is kept back
        bounded = any(type(bound).__name__ in ("Ge", "Gt", "Le", "Lt") for bound in field.metadata)
        assert bounded == (name in shown), name
    if stage.name == "train":
        assert shown["learning_rate"][0] == "0<x<=10]"
        assert shown["warmup_share"][0] == "0<=x<1]"
