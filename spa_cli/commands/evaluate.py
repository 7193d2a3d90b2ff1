"""`spa evaluate`."""

import inspect
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spa_cli.command import add_stage, reported
from spa_cli.commands.evaluate_difference import show_difference
from spa_cli.console import printable
from stages.errors import UsageError
from stages.evaluate.settings import SCORE_SUFFIXES
from stages.evaluate.summary import EvaluateSummary, Interval, LabelResult
from stages.model_names import MODEL_SUFFIXES
from stages.pipeline import EVALUATE

_LABELS_SHOWN = 5


def add(app: typer.Typer) -> None:
    """Add the command."""
    add_stage(
        app,
        EVALUATE,
        show,
        extend=_with_run_argument,
        to_look_at=lambda summary: summary.report,
    )


def _with_run_argument(evaluate: Callable[..., None]) -> Callable[..., None]:
    """Let `--name` be given as an argument too: `spa evaluate A --against B`."""

    def command(*, run: str | None, **values: Any) -> None:
        with reported():
            if run is not None and values["name"] is not None:
                raise UsageError(f"both the argument {run!r} and --name are given", "leave one out")
            if run is not None and run.lower().endswith(SCORE_SUFFIXES):
                raise UsageError(f"{run} is no run", f"name a file of scores with --scores {run}")
            if run is not None and run.lower().endswith(MODEL_SUFFIXES):
                raise UsageError(f"{run} is no run", f"name a model's file with --model {run}")
        evaluate(**values | ({"name": run} if run is not None else {}))

    kind = Annotated[str | None, typer.Argument(help="The same as --name.", show_default=False)]
    parameters = dict(inspect.signature(evaluate).parameters)
    run = inspect.Parameter("run", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
    parameters = {"run": run, **parameters}
    command.__signature__ = inspect.Signature(list(parameters.values()))  # type: ignore[attr-defined]
    command.__annotations__ = {name: found.annotation for name, found in parameters.items()}
    return command


def show(summary: EvaluateSummary, console: Console) -> None:
    """Print the main thing first, then the measures over all labels, and the worst and best labels."""

    def say(line: str) -> None:
        console.print(printable(line), markup=False, highlight=False, soft_wrap=True)

    say(_headline(summary))
    for line in _about(summary):
        say(line)
    if summary.difference is not None:
        show_difference(summary.difference, summary.OmAP_is_meaningless, console)
    console.print(_measures(summary))
    levels = enumerate(summary.OmAP_by_coarse_level)
    say("OmAP by coarse level  " + "  ".join(f"{level}: {value:.3f}" for level, value in levels))
    _show_labels(summary.per_label, console)


def _headline(summary: EvaluateSummary) -> str:
    omap, found = _in_words(summary.OmAP_interval), _in_words(summary.mAP_interval)
    chance = f"chance {summary.chance_mAP:.4f}"
    if summary.OmAP_is_meaningless:
        return f"mAP {found} ({chance}); OmAP is meaningless: all labels are equally far apart"
    return f"OmAP {omap}, mAP {found} ({chance})"


def _about(summary: EvaluateSummary) -> Iterator[str]:
    where = f", split {summary.split}" if summary.split else ""
    grouped = f" in {summary.groups} groups by {summary.group_by}" if summary.group_by else ""
    yield (
        f"{summary.name}{where}: {summary.clips} clips{grouped}, {summary.labels} labels"
        f" ({summary.labels_without_positives} without a positive,"
        f" {summary.clips_without_labels} clips without a label)"
    )
    if summary.labels_unknown:
        yield f"labels that the model does not know, and never gives: {len(summary.labels_unknown)}"
    if summary.coverage is not None:
        found = summary.coverage
        unscored = max(found.unscored, found.unscored_by_other or 0)
        yield (
            f"of {found.listed} listed clips {found.evaluated} evaluated ({100 * found.share:.1f} %);"
            f" {unscored} have no scores, {found.not_listed} scored clips are not listed"
        )


def _measures(summary: EvaluateSummary) -> Table:
    table = Table()
    for column in ("measure", "value", "95 % interval"):
        table.add_column(column, justify="left" if column == "measure" else "right")
    for name, found in _rows(summary):
        table.add_row(name, *_cells(found))
    return table


def _rows(summary: EvaluateSummary) -> Iterator[tuple[str, Interval | float | None]]:
    meaning = " (meaningless: all labels equally far apart)" if summary.OmAP_is_meaningless else ""
    yield f"OmAP{meaning}", summary.OmAP_interval
    yield "mAP", summary.mAP_interval
    yield "mAP of chance", summary.chance_mAP
    yield "mAP, micro", summary.micro_mAP
    yield "lwlrap", summary.lwlrap
    for top in summary.top_k or ():
        yield f"top-{top.k} accuracy", top.accuracy
    yield "AUC", summary.AUC
    yield "d-prime", summary.d_prime
    for at in summary.thresholds or ():
        yield f"F1 at {at.threshold}, macro", at.F1_macro
        yield f"F1 at {at.threshold}, micro", at.F1_micro
    if summary.calibration is not None:
        yield "calibration error, macro", summary.calibration.macro
    severity = summary.severity
    yield f"severity of {severity.false_positives} false tags (edges)", severity.mean_distance
    yield "severity of the top tag (edges)", severity.top1_mean_distance
    yield "severity of random tags (edges)", severity.random_mean_distance


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
    for column in ("positives", "AP", "95 % interval", "OmAP", "AUC", "best F1"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in shown:
        bounds = row.AP_interval
        known = bounds is not None and bounds.low is not None and bounds.high is not None
        interval = f"{bounds.low:.2f} to {bounds.high:.2f}" if bounds and known else ""
        numbers = (row.AP, row.OmAP, row.AUC, row.best_F1)
        ap, *others = ("-" if value is None else f"{value:.3f}" for value in numbers)
        table.add_row(escape(printable(row.label)), str(row.positives), ap, interval, *others)
    console.print(table)


def _cells(found: Interval | float | None) -> tuple[str, str]:
    if not isinstance(found, Interval):
        return _number(found), ""
    if found.low is None or found.high is None:
        return f"{found.value:.4f}", ""
    return f"{found.value:.4f}", f"{found.low:.4f} to {found.high:.4f}"


def _in_words(found: Interval) -> str:
    if found.low is None or found.high is None:
        return f"{found.value:.4f}"
    return f"{found.value:.4f} [{found.low:.4f}, {found.high:.4f}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
