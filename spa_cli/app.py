"""The commands of `spa`, assembled."""

import sys
from typing import Annotated

import typer

from spa_cli.commands import demo, embed_labels, evaluate, prepare, tag, train
from stages.lineage import spa_version


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"spa {spa_version()}\n")
        raise typer.Exit


def build_app() -> typer.Typer:
    """Assemble the commands, in the order of the pipeline."""
    app = typer.Typer(
        name="spa",
        help="Train, evaluate and run audio taggers whose mistakes make sense to people.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # the boxed help cuts long option names
        pretty_exceptions_enable=False,
    )
    for command in (prepare, embed_labels, train, evaluate, tag, demo):
        command.add(app)
    app.callback()(common)
    return app


def common(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version."),
    ] = False,
) -> None:
    """Options before the command."""
