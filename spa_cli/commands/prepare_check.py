"""`spa prepare --check`: one flag more, with which the command reads the workspace and writes nothing."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from spa_cli.command import print_json, reported
from spa_cli.console import ConsoleReporter, printable
from spa_cli.options import build
from stages.check.settings import CheckSettings, CheckSummary
from stages.errors import UsageError

_CHECK = "Only read the workspace, and prove that it is whole; SOURCE is not needed."


def or_check(prepare: Callable[..., None]) -> Callable[..., None]:
    """Give the command `prepare` the flag --check; its argument SOURCE may then be left out.

    So --check can be added to the command that has made the workspace: what else that says is not
    needed for reading.
    """

    def command(*, check: bool, **values: Any) -> None:
        if check:
            _check(values["workspace"], values["workers"], as_json=values["as_json"])
            return
        with reported():
            if values["source"] is None:
                raise UsageError(
                    "SOURCE is missing", "name a data set's folder, or --check a prepared workspace"
                )
        prepare(**values)

    parameters = dict(inspect.signature(prepare).parameters)
    source = parameters["source"]
    plain: Any = source.annotation.__origin__ | None
    kind = Annotated[plain, *source.annotation.__metadata__]
    parameters["source"] = source.replace(annotation=kind, default=None)
    parameters["check"] = inspect.Parameter(
        "check",
        inspect.Parameter.KEYWORD_ONLY,
        default=False,
        annotation=Annotated[bool, typer.Option("--check", help=_CHECK)],
    )
    command.__signature__ = inspect.Signature(list(parameters.values()))  # type: ignore[attr-defined]
    command.__annotations__ = {name: found.annotation for name, found in parameters.items()}
    return command


def _check(workspace: Path, workers: int | None, *, as_json: bool) -> None:
    from stages.check.run import run  # what reads Parquet and audio is heavy

    settings = build(CheckSettings, {"workers": workers})
    with reported(CheckSettings):
        summary = run(settings, workspace, ConsoleReporter())
        if as_json:
            print_json(summary.model_dump(mode="json"))
        else:
            show(summary, Console())
        if not summary.whole:
            raise typer.Exit(1)


def show(summary: CheckSummary, console: Console) -> None:
    """Print what there is, then a line a problem."""
    lines = [
        f"{summary.clips} clips ({summary.hours:.2f} hours, {summary.audio_bytes / 1e6:.1f} MB) in"
        f" {summary.shards} shards, {summary.labels} labels, {summary.rejects} rejects"
    ]
    lines += [f"{found.where}: {found.what}; next: {found.next_step}" for found in summary.problems]
    count, more = summary.problem_count, summary.problem_count - len(summary.problems)
    if more:
        lines.append(f"... and {more} more")
    lines.append("whole" if summary.whole else f"not whole: {count} problem{'s'[: count > 1]}")
    for line in lines:
        console.print(printable(line), markup=False, highlight=False, soft_wrap=True)
