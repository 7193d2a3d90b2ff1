"""`--help` is light, complete and the same as the settings."""

import subprocess
import sys

import pytest
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
