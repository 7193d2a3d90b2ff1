"""The sunburst: the tree of paths, the arcs and their colours."""

import dataclasses
import re
from collections.abc import Callable
from math import pi, tau
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.evaluate.report.charts.arcs import Arc, Disc, arc_name, arc_path
from stages.evaluate.report.charts.scales import AveragePrecisionScale, DifferenceScale
from stages.evaluate.report.charts.sunburst import sunbursts
from stages.evaluate.report.charts.tree import Node, build_tree, node_value
from stages.evaluate.report.content import ReportContent

Build = Callable[..., ReportContent]
Parse = Callable[[str], list[ElementTree.Element]]
PATHS = st.lists(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(tuple), min_size=1, max_size=30
)


def arcs(chart: ElementTree.Element) -> dict[str, str]:
    """Each arc's class by the first line of its tooltip, without direction marks."""
    found = {}
    for each in chart.iter("path"):
        if each.get("class", "").startswith("arc "):
            where = re.sub("[\u2068\u2069]", "", each.findtext("title", "")).partition("\n")[0]
            found[where] = each.get("class", "").removeprefix("arc ")
    return found


def everything(node: Node) -> list[Node]:
    return [node, *(below for child in node.children for below in everything(child))]


@given(PATHS)
def test_every_label_is_one_node_and_every_beginning_of_a_path_too(
    paths: list[tuple[str, ...]],
) -> None:
    nodes = everything(build_tree(paths))[1:]
    assert sorted(node.label for node in nodes if node.label is not None) == list(range(len(paths)))
    for node in nodes:
        if node.label is not None:
            assert node.names == paths[node.label]
    beginnings = {path[:length] for path in paths for length in range(1, len(path) + 1)}
    assert {node.names for node in nodes} == beginnings
    assert len(nodes) == len(beginnings) + len(paths) - len(set(paths))


@given(PATHS)
def test_rings_are_as_full_as_the_labels_are_deep(paths: list[tuple[str, ...]]) -> None:
    tree = build_tree(paths)
    rings = tree.rings()
    assert rings[0] == tree.leaves
    assert len(rings) == max(map(len, paths))
    assert rings == sorted(rings, reverse=True)
    disc = Disc.of(rings, 720)
    assert len(disc.radii) == len(rings) + 1
    assert list(disc.radii) == sorted(disc.radii)
    assert disc.radii[-1] <= disc.names_end <= 360


def test_a_label_keeps_its_own_value_and_a_mere_name_has_the_mean_of_those_below() -> None:
    tree = build_tree(
        [("Music", "Guitar"), ("Music", "Drum"), ("Animal",), ("Animal", "Dog"), ("Wind",)]
    )
    music, animal, wind = tree.children
    values = [0.2, 0.6, 0.9, 0.1, None]
    assert node_value(music, values) == pytest.approx(0.4)
    assert node_value(animal, values) == 0.9
    assert node_value(wind, values) is None
    assert node_value(music, [0.2, None, 0.9, 0.1, None]) == 0.2


def test_a_path_of_a_thousand_names_is_drawn_without_its_middle() -> None:
    deep = tuple(map(str, range(1000)))
    tree = build_tree([deep, (*deep[:-1], "other end")])
    assert len(tree.rings()) == 12
    ends = [node.names[-1] for node in everything(tree) if node.label is not None]
    assert ends == ["999", "other end"]


def test_arcs_have_the_colours_of_their_labels(report_content: Build, parse_svg: Parse) -> None:
    content = report_content()
    by_ap, by_difference = parse_svg(sunbursts(content))
    assert (by_ap.get("data-by"), by_difference.get("data-by")) == ("ap", "difference")
    summary = content.model.summary
    assert summary.difference is not None
    shown, apart = arcs(by_ap), arcs(by_difference)
    beginnings = {path[:length] for path in content.paths for length in range(1, len(path) + 1)}
    assert set(shown) == set(apart) == {" \u203a ".join(names) for names in beginnings}
    sizes = sorted(abs(one.AP.value) for one in summary.difference.per_label if one.AP)
    assert 0.05 < sizes[int(0.8 * len(sizes))] < 0.1  # the highest fifth about has the full colour
    for path, label, difference in zip(
        content.paths, summary.per_label, summary.difference.per_label, strict=True
    ):
        where = " \u203a ".join(path)
        if label.AP is None or difference.AP is None:
            assert (shown[where], apart[where]) == ("none", "none")
        else:
            assert shown[where] == f"ap-{int(label.AP * 10)}"
            assert (
                apart[where] == f"diff-{min(max(round(5 + 5 * difference.AP.value / 0.1), 0), 10)}"
            )


def test_labels_with_the_same_path_have_an_arc_each(
    report_content: Build, parse_svg: Parse
) -> None:
    content = report_content(models=1, labels=4)
    same = dataclasses.replace(content, paths=(("Music",),) * 4)
    (chart,) = parse_svg(sunbursts(same))
    drawn = [each for each in chart.iter("path") if each.get("class", "").startswith("arc")]
    assert len(drawn) == len({each.get("d") for each in drawn}) == 4


def test_one_label_is_a_whole_ring() -> None:
    node = Node(("Music",), 0)
    disc = Disc.of([1], 720)
    outline = arc_path(disc, Arc(node, 0, tau, 0))
    assert outline.count("M") == 2
    assert outline.count("A") == 4


@given(st.floats(0, tau - 0.01), st.floats(0.01, 3), st.text(min_size=1, max_size=40))
def test_names_are_never_upside_down_and_stay_within_the_square(
    parse_svg: Parse, start: float, width: float, name: str
) -> None:
    arc = Arc(Node((name,), 0), start, min(start + width, tau), 0)
    disc = Disc.of([20, 20], 720)
    for element in parse_svg("".join(arc_name(disc, arc, "ap-3", "key"))):
        turned = re.match(r"rotate\((\S+) (\S+) (\S+)\)", element.get("transform", ""))
        if turned:
            degrees, x, y = map(float, turned.groups())
            assert -90.1 <= (degrees + 180) % 360 - 180 <= 90.1
            assert ((x - 360) ** 2 + (y - 360) ** 2) ** 0.5 <= disc.names_end
        elif element.tag == "path":
            x1, x2 = (
                float(place)
                for place in re.findall(r"(?:M|1 |0 )(\S+) \S+(?=A|$)", element.get("d", ""))
            )
            assert x1 <= x2 + 0.2  # it is written from left to right


def test_scales_end_where_their_values_do() -> None:
    ap, difference = AveragePrecisionScale(), DifferenceScale(0.2, ("a", "b"))
    assert [ap.css(value) for value in (None, 0, 0.0999, 0.1, 0.95, 1)] == [
        "none",
        "ap-0",
        "ap-0",
        "ap-1",
        "ap-9",
        "ap-9",
    ]
    assert [difference.css(value) for value in (None, -1, -0.2, -0.019, 0, 0.019, 0.1, 0.2, 1)] == [
        "none",
        "diff-0",
        "diff-0",
        "diff-5",
        "diff-5",
        "diff-5",
        "diff-8",
        "diff-10",
        "diff-10",
    ]


def test_angles_go_clockwise_from_the_top() -> None:
    disc = Disc.of([4], 720)
    assert disc.place(100, 0) == pytest.approx((360, 260))
    assert disc.place(100, pi / 2) == pytest.approx((460, 360))
