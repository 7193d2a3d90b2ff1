"""The ontology as a sunburst, coloured by AP, or by how much better one model's AP is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import tau

import numpy as np
from markupsafe import Markup

from stages.evaluate.report.charts.arcs import Arc, Disc, arc_name, arc_path
from stages.evaluate.report.charts.lettering import in_brackets, isolate
from stages.evaluate.report.charts.scales import AveragePrecisionScale, DifferenceScale, key
from stages.evaluate.report.charts.svg import chart, element, text, tooltip
from stages.evaluate.report.charts.ticks import nice_step
from stages.evaluate.report.charts.tree import Node, build_tree, node_value
from stages.evaluate.report.content import ReportContent
from stages.evaluate.report.wording import (
    bounds,
    count,
    number,
    short_name,
    signed,
    signed_bounds,
)
from stages.evaluate.summary import Difference, EvaluateSummary, LabelDifference, LabelResult

_SIZE, _KEY_UNITS = 720.0, 56.0
_LEAST_SCALE = 0.01
_FULL_COLOUR_PERCENTILE = 80
_PATH_SIGN = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "


@dataclass(frozen=True)
class _View:
    """What one of the two sunbursts shows: values and words by label index, and the middle."""

    by: str
    scale: AveragePrecisionScale | DifferenceScale
    values: Sequence[float | None]
    tips: Sequence[str]
    middle: str
    says: tuple[str, str]


def sunbursts(content: ReportContent) -> Markup:
    """One <svg data-by="ap">, and with two models another <svg data-by="difference">.

    Every name on a label's path is an arc, the roots innermost, as wide as there are ends below it.
    A name that is no label has the mean of the labels below.
    """
    tree = build_tree(content.paths)
    summary = content.model.summary
    views = [_by_average_precision(summary)]
    if summary.difference is not None:
        views.append(_by_difference(summary, summary.difference))
    return Markup("").join(_draw(tree, view) for view in views)


def _by_average_precision(summary: EvaluateSummary) -> _View:
    name = isolate(short_name(summary.name))
    return _View(
        by="ap",
        scale=AveragePrecisionScale(),
        values=[label.AP for label in summary.per_label],
        tips=[_tip(label) for label in summary.per_label],
        middle=number(summary.mAP),
        says=("The ontology, coloured by AP", f"AP of {summary.labels} labels of {name}"),
    )


def _by_difference(summary: EvaluateSummary, difference: Difference) -> _View:
    values = [label.AP.value if label.AP else None for label in difference.per_label]
    sizes = [abs(value) for value in values if value is not None]
    usual = float(np.percentile(sizes, _FULL_COLOUR_PERCENTILE)) if sizes else 0.0
    names = short_name(summary.name), short_name(difference.against)
    compared = f"{isolate(names[0])} minus that of {isolate(names[1])}"
    return _View(
        by="difference",
        scale=DifferenceScale(nice_step(max(usual, _LEAST_SCALE), 1), names),
        values=values,
        tips=[
            _difference_tip(*pair)
            for pair in zip(difference.per_label, summary.per_label, strict=True)
        ],
        middle=signed(difference.mAP.value, 3),
        says=("The ontology, coloured by the difference in AP", f"AP of {compared}"),
    )


def _draw(tree: Node, view: _View) -> Markup:
    disc = Disc.of(tree.rings(), _SIZE)
    arcs = list(_arcs(tree, 0.0, tau / tree.leaves, 0))
    drawn: list[Markup] = []
    names: list[Markup] = []
    for i, arc in enumerate(arcs):
        value = node_value(arc.node, view.values)
        css = view.scale.css(value)
        attributes = {"class": f"arc {css}", "d": arc_path(disc, arc)}
        drawn.append(element("path", attributes, *tooltip(_words(arc.node, value, view))))
        names += arc_name(disc, arc, css, f"sunburst-{view.by}-{i}")
    middle = _SIZE / 2
    hub = [
        text((middle, middle - 12), "caption middle", "mAP"),
        text((middle, middle + 12), "hub middle", view.middle),
    ]
    bar = key(view.scale, _SIZE, _SIZE + 14)
    dense = element("g", {"class": "dense" if disc.is_dense else "sparse"}, *drawn)
    return chart(
        "sunburst", (_SIZE, _SIZE + _KEY_UNITS), view.says, dense, *names, *hub, *bar, by=view.by
    )


def _arcs(node: Node, start: float, each: float, ring: int) -> Iterator[Arc]:
    """The arcs of all below a node, from the angle `start` on, `each` radians an end."""
    for child in node.children:
        end = start + each * child.leaves
        yield Arc(child, start, end, ring)
        yield from _arcs(child, start, each, ring + 1)
        start = end


def _words(node: Node, value: float | None, view: _View) -> str:
    where = _PATH_SIGN.join(isolate(name, 40) for name in node.names)
    if node.label is not None:
        return f"{where}\n{view.tips[node.label]}"
    below = sum(1 for _ in node.labels())
    if value is None:
        return f"{where}\nno label, and no value below"
    written = number(value) if view.by == "ap" else signed(value, 3)
    return f"{where}\nno label: mean of the {count(below)} below, {written}"


def _tip(label: LabelResult) -> str:
    if label.AP is None:
        return "no AP: no clip has it"
    written = bounds(label.AP_interval) if label.AP_interval else ""
    return f"AP {number(label.AP)}{in_brackets(written)}, {count(label.positives)} clips"


def _difference_tip(difference: LabelDifference, label: LabelResult) -> str:
    if difference.AP is None or label.AP is None:
        return "no difference: no clip has it"
    ahead, theirs = difference.AP, label.AP - difference.AP.value
    written = f"{signed(ahead.value, 3)}{in_brackets(signed_bounds(ahead, 3))}"
    return f"AP {written}: {number(label.AP)} against {number(theirs)}"
