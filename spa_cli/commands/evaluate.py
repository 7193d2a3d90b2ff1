"""`spa evaluate`."""

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spa_cli.command import add_stage
from spa_cli.console import printable
from stages.evaluate.settings import Difference, EvaluateSummary, Interval, LabelResult
from stages.pipeline import EVALUATE

_LABELS_SHOWN = 5


def add(app: typer.Typer) -> None:
    """Add the command."""
    add_stage(app, EVALUATE, show)


def show(summary: EvaluateSummary, console: Console) -> None:
    """Print the measures over all labels, OmAP by coarse level, and the worst and best labels."""
    where = f", split {summary.split}" if summary.split else ""
    console.print(
        f"{printable(summary.name)}{where}: {summary.clips} clips, {summary.labels} labels"
        f" ({summary.labels_without_positives} without a positive,"
        f" {summary.clips_without_labels} clips without a label)",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    table = Table()
    for column in ("measure", "value", "95 % interval"):
        table.add_column(column, justify="left" if column == "measure" else "right")
    meaning = " (meaningless: all labels equally far apart)" if summary.OmAP_is_meaningless else ""
    table.add_row(f"OmAP{meaning}", *_cells(summary.OmAP_interval))
    table.add_row("mAP", *_cells(summary.mAP_interval))
    table.add_row("mAP of chance", f"{summary.chance_mAP:.4f}", "")
    table.add_row("AUC", _number(summary.AUC), "")
    table.add_row("d-prime", _number(summary.d_prime), "")
    console.print(table)
    levels = "  ".join(
        f"{level}: {value:.3f}" for level, value in enumerate(summary.OmAP_by_coarse_level)
    )
    console.print(f"OmAP by coarse level  {levels}", highlight=False, soft_wrap=True)
    _show_labels(summary.per_label, console)
    if summary.difference is not None:
        show_difference(summary.difference, console)


def show_difference(difference: Difference, console: Console) -> None:
    """Print this run minus another one, in points of 100."""
    for name, value in (("OmAP", difference.OmAP), ("mAP", difference.mAP)):
        console.print(
            f"{name} minus that of '{printable(difference.against)}': {_points(value)} points of 100",
            markup=False,
            highlight=False,
        )


def _points(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return f"{100 * interval.value:+.2f}"
    return f"{100 * interval.value:+.2f} [{100 * interval.low:+.2f}, {100 * interval.high:+.2f}]"


def _show_labels(labels: tuple[LabelResult, ...], console: Console) -> None:
    ranked = sorted((row for row in labels if row.AP is not None), key=lambda row: row.AP or 0.0)
    shown = (
        ranked
        if len(ranked) <= 2 * _LABELS_SHOWN
        else ranked[:_LABELS_SHOWN] + ranked[-_LABELS_SHOWN:]
    )
    console.print("labels, worst and best AP (--json lists all)")
    table = Table()
    table.add_column("label")
    for column in ("positives", "AP", "OmAP", "AUC", "d-prime"):
        table.add_column(column, justify="right")
    for row in shown:
        numbers = map(_number, (row.AP, row.OmAP, row.AUC, row.d_prime))
        table.add_row(escape(printable(row.label)), str(row.positives), *numbers)
    console.print(table)


def _cells(interval: Interval) -> tuple[str, str]:
    if interval.low is None or interval.high is None:
        return f"{interval.value:.4f}", ""
    return f"{interval.value:.4f}", f"{interval.low:.4f} to {interval.high:.4f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
