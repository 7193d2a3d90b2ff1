"""`spa prepare`."""

from collections.abc import Iterator

import typer
from rich.console import Console
from rich.table import Column, Table

from spa_cli.command import add_stage
from spa_cli.commands.prepare_check import or_check
from spa_cli.console import printable
from stages.pipeline import PREPARE
from stages.prepare.settings import PrepareSummary

_LABELS_SHOWN = 5
_OF_A_SPLIT = ("clips", "hours", "labels a clip")


def add(app: typer.Typer) -> None:
    """Add the command."""
    add_stage(app, PREPARE, show, positional="source", extend=or_check)


def show(summary: PrepareSummary, console: Console) -> None:
    """Print clips and hours a split, then what was rejected and why, then what to look at."""
    clips = sum(summary.clips.values())
    lines = [
        f"prepared: {summary.layout} layout, {clips} clips of {summary.named} named"
        f" ({summary.coverage_percent:.1f} %), {summary.labels} labels",
        f"{summary.audio_bytes / 1e6:.1f} MB of audio at {summary.sample_rate} Hz",
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(_splits(summary))
    if summary.rejects:
        console.print(_rejects(summary))
    for line in _notes(summary):
        console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def _splits(summary: PrepareSummary) -> Table:
    table = Table("split", *(Column(name, justify="right") for name in _OF_A_SPLIT))
    for split, clips in summary.clips.items():
        labels_per_clip = f"{summary.labels_per_clip[split]:.2f}" if clips else "-"
        table.add_row(split, str(clips), f"{summary.hours[split]:.2f}", labels_per_clip)
    return table


def _rejects(summary: PrepareSummary) -> Table:
    table = Table("rejected (rejects.parquet)", Column("count", justify="right"))
    for reason, count in summary.rejects.items():
        table.add_row(reason, str(count))
    return table


def _notes(summary: PrepareSummary) -> Iterator[str]:
    for labels, what in (
        (summary.labels_without_clip, "clip"),
        (summary.labels_without_train_clip, "training clip"),
    ):
        if labels:
            more = "; ..." if len(labels) > _LABELS_SHOWN else ""
            names = "; ".join(labels[:_LABELS_SHOWN]) + more
            yield f"labels without a {what}: {len(labels)} ({names})"
    for count, what in (
        (summary.silent_clips, "of digital silence"),
        (summary.clipped_clips, "clipped (more than 0.1 % of the samples at full scale)"),
        (summary.offset_clips, "off centre (a mean beyond 1 % of full scale)"),
    ):
        if count:
            yield f"kept: {count} {what}"
