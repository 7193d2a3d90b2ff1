"""`spa tag`."""

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spa_cli.command import add_stage
from spa_cli.console import fail, printable
from stages.pipeline import TAG
from stages.tag.settings import Tag, TagSummary


def add(app: typer.Typer) -> None:
    """Add the command."""
    add_stage(app, TAG, show, positional="files", as_document=documents, succeeded=all_read)


def all_read(summary: TagSummary) -> bool:
    """Whether every file could be tagged."""
    return all(file.error is None for file in summary.files)


def documents(summary: TagSummary) -> list[object]:
    """One object a file; `windows` and `error` only where there are any."""
    return [file.model_dump(mode="json", exclude_none=True) for file in summary.files]


def show(summary: TagSummary, console: Console) -> None:
    """Print a table a file; one line on stderr for a file that could not be read."""
    for file in summary.files:
        if file.error is not None:
            fail(file.error, None)
            continue
        show_tags(f"{printable(file.path)} ({file.duration_seconds:.2f} s)", file.tags, console)
        for window in file.windows or ():
            title = f"{window.start_seconds:.2f} to {window.end_seconds:.2f} s"
            show_tags(title, window.tags, console)


def show_tags(title: str, tags: tuple[Tag, ...], console: Console) -> None:
    """Print one table of tags."""
    console.print(title, markup=False, highlight=False, soft_wrap=True)
    table = Table()
    table.add_column("score", justify="right")
    table.add_column("label")
    table.add_column("mid")
    for tag in tags:
        table.add_row(f"{tag.score:.4f}", escape(printable(tag.label)), escape(printable(tag.mid)))
    console.print(table)
