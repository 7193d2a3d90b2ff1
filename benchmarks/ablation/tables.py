"""The summaries as text, for a terminal and for a page of Markdown."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ablation.comparison import Difference, Measured
from ablation.contenders import ONE_HOT
from ablation.results import Row
from ablation.summaries import Line, Summary
from stages.atomic import replacing
from stages.errors import UsageError

BEGIN, END = "<!-- ablation: written by benchmarks/spa_ablation.py -->", "<!-- ablation: end -->"
HEADER = ("training", "seeds", "mAP", "OmAP", "mAP - one-hot", "OmAP - one-hot")


def cells(line: Line) -> tuple[str, ...]:
    """The cells below `HEADER`, in points of 100."""
    return (
        line.contender,
        str(line.seeds),
        _spread(line.mAP),
        _spread(line.OmAP),
        _gain(line.mAP_difference),
        _gain(line.OmAP_difference),
    )


def terminal(summaries: Iterable[Summary]) -> str:
    """Every set's caption and aligned columns."""
    return "\n\n".join(_text(summary, _aligned) for summary in summaries)


def markdown(summaries: Iterable[Summary]) -> str:
    """Every set's caption and a Markdown table."""
    return "\n\n".join(f"### {_text(summary, _markdown)}" for summary in summaries)


def write_page(page: Path, table: str) -> None:
    """Put `table` between the page's markers, in place of what is there.

    Raises:
        UsageError: the page has no such markers.
    """
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UsageError(
            f"{page} has no lines '{BEGIN}' and '{END}'", "name a page that has, with --page"
        )
    with replacing(page) as temporary:
        temporary.write_text(f"{before}{begin}\n\n{table}\n\n{end}{after}", encoding="utf-8")


def _text(summary: Summary, drawn: Callable[[Sequence[Sequence[str]]], str]) -> str:
    table = drawn([HEADER, *map(cells, summary.lines)])
    return f"{summary.title}\n\n{_caption(summary)}\n\n{table}"


def _caption(summary: Summary) -> str:
    """How it was trained and judged, and whether anything was chosen by it."""
    settings = json.loads(_baseline(summary).settings)
    start = f"from {settings['init']}" if settings["init"] else "from scratch"
    rate = f"learning rate {settings['learning_rate']:g}"
    clips = {(row.set, row.fold): (row.train_clips, row.eval_clips) for row in summary.rows}
    trained, judged = (_range([counts[at] for counts in clips.values()]) for at in (0, 1))
    epochs = _range(sorted({row.epochs for row in summary.rows}))
    tuned = [one.name for one in summary.sets if one.tuned_on]
    role = f"choices were made by looking at {' and '.join(tuned)}" if tuned else "for the verdict"
    return (
        f"{settings['encoder']} {start}, epochs: {epochs}, {rate}; {trained} clips to train on,"
        f" {judged} to be judged by; {role}."
    )


def _baseline(summary: Summary) -> Row:
    return next(row for row in summary.rows if row.contender == ONE_HOT.name)


def _range(values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"


def _spread(measured: Measured) -> str:
    deviation = measured.deviation
    return f"{100 * measured.mean:.1f}" + (f" ± {100 * deviation:.1f}" if deviation else "")


def _gain(found: Difference | None) -> str:
    if found is None:
        return ""
    return f"{100 * found.value:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = (
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in padded)


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    header, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([header, "|---|" + "---:|" * (len(rows[0]) - 1), *body])
