"""How a stage becomes a command: options from its settings, one run, results shown, errors told."""

import inspect
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from spa_cli.console import ConsoleReporter, fail, printable
from spa_cli.following import muted_follow
from spa_cli.interrupts import comes_of_interrupt, interrupt
from spa_cli.options import build, check_text, parameters_of, ranges_of
from spa_cli.sections import sectioned
from stages.errors import WORK_KEPT, SpaError
from stages.pipeline import R, S, Stage
from stages.runner import run_stage
from stages.settings import StageSettings
from stages.team import Team

Workspace = Annotated[
    Path, typer.Option("--workspace", envvar="SPA_WORKSPACE", help="Folder of the artifacts.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Force = Annotated[bool, typer.Option("--force", help="Run again though nothing has changed.")]

DEFAULT_WORKSPACE = Path("spa-workspace")


def add_stage(  # noqa: PLR0913 - what commands differ in
    app: typer.Typer,
    stage: Stage[S, R],
    show: Callable[[R, Console], None],
    *,
    positional: str | None = None,
    as_document: Callable[[R], object] = lambda summary: summary.model_dump(mode="json"),
    succeeded: Callable[[R], bool] = lambda _: True,
    extend: Callable[[Callable[..., None]], Callable[..., None]] = lambda command: command,
    to_look_at: Callable[[R], str] | None = None,
) -> None:
    """Add the command of `stage` to `app`.

    Args:
        app: of typer.
        stage: gives name, options (its settings' fields) and help (the docstring of its `run`).
        show: prints the summary for a person.
        positional: the field that is an argument.
        as_document: what `--json` prints.
        succeeded: whether the exit code is 0.
        extend: gives the command another signature, and what else it does.
        to_look_at: the path in the workspace of what a person would open next, which is named last.
    """

    def command(*, workspace: Path, as_json: bool, force: bool, **values: Any) -> None:
        check_text(workspace, "workspace")
        settings = build(stage.settings, values)
        team = Team.of_environment()
        with reported(stage.settings):
            if team.follows:
                muted_follow(stage, settings, workspace, team)
                return
            summary = _run(stage, settings, workspace, force=force, team=team)
            if as_json:
                print_json(as_document(summary))
            else:
                show(summary, Console())
                if to_look_at is not None:
                    path = printable(str(workspace / to_look_at(summary)))
                    Console().print(path, markup=False, highlight=False, soft_wrap=True)
            if not succeeded(summary):
                raise typer.Exit(1)

    parameters = _parameters(stage.settings, positional)
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app.command(stage.name, cls=sectioned(ranges_of(stage.settings)), help=stage.purpose)(
        extend(command)
    )


def _run(stage: Stage[S, R], settings: S, workspace: Path, *, force: bool, team: Team) -> R:
    """Run the stage, or say that it has nothing to do; return its summary."""
    reporter = ConsoleReporter()
    outcome = run_stage(stage, settings, workspace, reporter, force=force, team=team)
    if outcome.unchanged:
        reporter.line(
            f"{stage.name}: nothing has changed since the last run, so there is nothing to do"
            " (--force runs it again)"
        )
    return outcome.summary


def _parameters(settings: type[StageSettings], positional: str | None) -> list[inspect.Parameter]:
    """The command's parameters: the settings' fields, and what every stage has."""
    shared: dict[str, tuple[Any, object]] = {
        "workspace": (Workspace, DEFAULT_WORKSPACE),
        "as_json": (AsJson, False),
        "force": (Force, False),
    }
    return parameters_of(settings, positional) + [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in shared.items()
    ]


def print_json(document: object) -> None:
    """Print one JSON document on stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n")


# Settings that decide how much memory a run takes, and what to do with them.
_MEMORY = {
    "batch_size": "a smaller --batch-size",
    "workers": "fewer --workers",
    "max_clip_seconds": "a smaller --max-clip-seconds",
}


@contextmanager
def reported(settings: type[StageSettings] | None = None) -> Iterator[None]:
    """Turn what goes wrong into a line or two on stderr and an exit code.

    A termination request is treated as Ctrl-C, so that staging folders are cleaned up. `settings`
    are the command's: of them depends what can be done about too little memory.
    """
    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except SpaError as error:
        fail(error.message, _next_step(error, error.next_step))
        raise typer.Exit(error.exit_code) from error
    except MemoryError as error:
        fields = settings.model_fields if settings else {}
        less = " or ".join(words for field, words in _MEMORY.items() if field in fields)
        step = f"use {less}" if less else "close other programs, or use a machine with more memory"
        fail("out of memory", _next_step(error, step))
        raise typer.Exit(1) from error
    except (KeyboardInterrupt, RuntimeError) as error:
        if not comes_of_interrupt(error):
            raise
        message = "interrupted: the workspace is as it was before this command"
        fail(message, _next_step(error, None))
        raise typer.Exit(1) from error


def _next_step(error: BaseException, own: str | None) -> str | None:
    """The next step, and that it goes on from where it stopped if it does."""
    if WORK_KEPT not in getattr(error, "__notes__", ()):
        return own
    return f"{own or 'run the same command again to go on'}; {WORK_KEPT}"
