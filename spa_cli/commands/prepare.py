"""`spa prepare`."""

import typer
from rich.console import Console
from rich.table import Table

from spa_cli.command import add_stage
from stages.pipeline import PREPARE
from stages.prepare.settings import PrepareSummary


def add(app: typer.Typer) -> None:
    """Add the command."""
    add_stage(app, PREPARE, show, positional="source")


def show(summary: PrepareSummary, console: Console) -> None:
    """Print clips and hours a split, then what was rejected and why."""
    console.print(
        f"prepared: {summary.layout} layout, {summary.labels} labels, {summary.sample_rate} Hz"
    )
    table = Table()
    for column in ("split", "clips", "hours"):
        table.add_column(column, justify="left" if column == "split" else "right")
    for split, clips in summary.clips.items():
        table.add_row(split, str(clips), f"{summary.hours[split]:.2f}")
    console.print(table)
    console.print(
        f"{summary.labels_per_clip:.2f} labels a clip, {summary.audio_bytes / 1e6:.1f} MB of audio"
    )
    if summary.labels_without_train_clip:
        names = ", ".join(summary.labels_without_train_clip[:5])
        console.print(
            f"{len(summary.labels_without_train_clip)} labels without a training clip: {names} ...",
            markup=False,
        )
    for reason, count in summary.rejects.items():
        console.print(f"rejected: {count} {reason} (see rejects.parquet)", markup=False)
