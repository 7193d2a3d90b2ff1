"""`spa prepare`."""

import typer
from rich.console import Console
from rich.table import Table

from spa_cli.command import add_stage
from stages.pipeline import PREPARE
from stages.prepare.settings import PrepareSummary

_LABELS_SHOWN = 5


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
    missing = summary.labels_without_train_clip
    if missing:
        names = "; ".join(missing[:_LABELS_SHOWN]) + (
            "; ..." if len(missing) > _LABELS_SHOWN else ""
        )
        text = f"{len(missing)} labels without a training clip: {names}"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    for reason, count in summary.rejects.items():
        console.print(f"rejected: {count} {reason} (see rejects.parquet)", markup=False)
