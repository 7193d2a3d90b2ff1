"""The rows and columns of the per-label table."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from stages.evaluate.report.content import ReportContent
from stages.evaluate.report.interval_strip import interval_strip
from stages.evaluate.report.wording import (
    bounds,
    count,
    number,
    short_name,
    signed,
    signed_bounds,
)
from stages.evaluate.summary import Difference, Interval, LabelResult

_STRIP_UNITS = 64.0
_WITHIN = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "


@dataclass(frozen=True)
class Cell:
    """What a cell shows, and by what it is sorted (None: after all others)."""

    text: str
    value: float | None
    strip: Markup | str = ""
    hint: str = ""
    outcome: str = ""


@dataclass(frozen=True)
class Column:
    """A column's head; `detail` columns show only when asked for."""

    title: str
    hint: str
    detail: bool = False


@dataclass(frozen=True)
class Row:
    """One label. `outcomes` says whether it is better or worse, in the words of the filter."""

    label: str
    mid: str
    family: str
    outcomes: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class LabelTable:
    """All labels, in the order of a column, the highest first and those without a value last.

    `outcomes` are the filter's options: what is matched, its words, how many rows it leaves.
    """

    columns: tuple[Column, ...]
    sorted_by: str
    rows: tuple[Row, ...]
    outcomes: tuple[tuple[str, str, int], ...]


_DETAILS: tuple[tuple[Column, Callable[[LabelResult], float | None]], ...] = (
    (Column("AUC", "Area under the ROC curve", True), lambda row: row.AUC),
    (Column("d-prime", "From the AUC", True), lambda row: row.d_prime),
    (Column("Precision", "At the first threshold", True), lambda row: row.precision),
    (Column("Recall", "At the first threshold", True), lambda row: row.recall),
    (Column("F1", "At the first threshold", True), lambda row: row.F1),
    (
        Column("Best F1", "Chosen on these clips, so it flatters", True),
        lambda row: row.best_F1,
    ),
    (
        Column("Best threshold", "The score from which on F1 is highest", True),
        lambda row: row.best_threshold,
    ),
    (
        Column("Calibration error", "Expected calibration error, 15 bins", True),
        lambda row: row.calibration_error,
    ),
)


@dataclass(frozen=True)
class _Differences:
    """One measure's differences, by label; `won` and `lost` are mids."""

    measure: str
    intervals: tuple[Interval | None, ...]
    won: frozenset[str]
    lost: frozenset[str]
    drawn: tuple[float, float]

    def outcome(self, mid: str) -> str:
        return "better" if mid in self.won else "worse" if mid in self.lost else "unclear"


def label_table(content: ReportContent) -> LabelTable:
    """Lay out the labels of the evaluated model, beside the one compared with."""
    summary, difference = content.model.summary, content.model.summary.difference
    others = content.other.summary.per_label if content.other else (None,) * summary.labels
    compared = _differences(difference) if difference else ()
    rows = [
        Row(
            own.label or own.mid,
            own.mid,
            _WITHIN.join(path[:-1]),
            " ".join(f"{one.measure}-{one.outcome(own.mid)}" for one in compared),
            tuple(_cells(own, other, compared, at)),
        )
        for at, (own, other, path) in enumerate(
            zip(summary.per_label, others, content.paths, strict=True)
        )
    ]
    columns = tuple(_columns(difference))
    sorted_by = "AP difference" if difference else "AP"
    at = [column.title for column in columns].index(sorted_by)
    return LabelTable(
        columns,
        sorted_by,
        tuple(sorted(rows, key=lambda row: _highest_first(row.cells[at]))),
        tuple(
            (f"{one.measure}-{outcome}", f"{one.measure} {outcome}", len(mids))
            for one in compared
            for outcome, mids in (("better", one.won), ("worse", one.lost))
        ),
    )


def _differences(difference: Difference) -> tuple[_Differences, ...]:
    measures = (
        ("AP", [row.AP for row in difference.per_label], difference.AP_won, difference.AP_lost),
        ("OmAP", [row.OmAP for row in difference.per_label], difference.OmAP_won, difference.OmAP_lost),
    )  # fmt: skip
    return tuple(
        _Differences(
            measure, tuple(found), frozenset(won), frozenset(lost), _symmetric_range(found)
        )
        for measure, found, won, lost in measures
    )


def _symmetric_range(found: Sequence[Interval | None]) -> tuple[float, float]:
    """A range about 0 that shows every difference; an interval may run out of it."""
    furthest = 1.1 * max((abs(one.value) for one in found if one is not None), default=0.0)
    return (-furthest, furthest) if furthest else (-1.0, 1.0)


def _highest_first(cell: Cell) -> tuple[bool, float]:
    return cell.value is None, -(cell.value or 0.0)


def _columns(difference: Difference | None) -> Iterator[Column]:
    for measure, hint in (
        ("AP", "Average precision"),
        ("OmAP", "Average precision that forgives near mistakes"),
    ):
        yield Column(measure, f"{hint}, with its 95 % interval")
        if difference is not None:
            against = short_name(difference.against)
            yield Column(f"{measure} difference", f"This model minus {against}, with its interval")
    yield Column("Positives", "Evaluated clips that have the label")
    yield Column("Training clips", "Training clips that have the label")
    yield from (column for column, _ in _DETAILS)


def _cells(
    own: LabelResult, other: LabelResult | None, compared: Sequence[_Differences], at: int
) -> Iterator[Cell]:
    measures = (
        (own.AP_interval, other.AP_interval if other else None),
        (own.OmAP_interval, other.OmAP_interval if other else None),
    )
    for i, (mine, theirs) in enumerate(measures):
        yield _value_cell(mine, theirs)
        if compared:
            yield _difference_cell(compared[i], at, own.mid)
    yield Cell(count(own.positives), own.positives)
    yield Cell(count(own.clips_train), own.clips_train)
    for _, measure in _DETAILS:
        yield Cell(number(measure(own)), measure(own))


def _value_cell(own: Interval | None, other: Interval | None) -> Cell:
    if own is None:
        return Cell(number(None), None)
    both = [("model", own)] + ([("other", other)] if other else [])
    hint = f"{number(own.value)}, 95 % interval {bounds(own)}" if bounds(own) else ""
    if other is not None:
        hint += f"\nthe other model {number(other.value)} {bounds(other)}"
    return Cell(
        number(own.value), own.value, interval_strip(both, (0.0, 1.0), _STRIP_UNITS), hint.strip()
    )


def _difference_cell(compared: _Differences, at: int, mid: str) -> Cell:
    found, outcome = compared.intervals[at], compared.outcome(mid)
    if found is None:
        return Cell(number(None), None)
    strip = interval_strip([(outcome, found)], compared.drawn, _STRIP_UNITS, zero=True)
    hint = f"{signed(found.value)}, 95 % interval {signed_bounds(found)}" if bounds(found) else ""
    return Cell(signed(found.value, 3), found.value, strip, hint, outcome)
