"""The charts of the report, read back as XML."""

import dataclasses
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest
from markupsafe import Markup

from stages.evaluate.report.charts.coarse_levels import coarse_levels
from stages.evaluate.report.charts.false_positives import false_positives
from stages.evaluate.report.charts.scatter import scatter
from stages.evaluate.report.charts.sunburst import sunbursts
from stages.evaluate.report.content import Model, ReportContent
from stages.evaluate.summary import Interval

Build = Callable[..., ReportContent]
Parse = Callable[[str], list[ElementTree.Element]]
CHARTS = (coarse_levels, false_positives, scatter, sunbursts)
HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "</title></svg><script>alert(1)</script>",
    "quotes \" and ' and & and ]]>",
    "\u202eright to left override, \u05d0\u05d1\u05d2",
    "control \x00\x08\x1b and half a pair \ud800",
    "x" * 10_000,
    "\N{GRINNING FACE} \u6f22\u5b57" * 50,
    " ",
    "{{ 7 * 7 }} {0} %s",
)


def having(chart: ElementTree.Element, css: str) -> list[ElementTree.Element]:
    """The elements of a class."""
    return [each for each in chart.iter() if css in each.get("class", "").split()]


def words(chart: ElementTree.Element) -> set[str]:
    """All lines of text that are drawn."""
    return {"".join(each.itertext()) for each in chart.iter("text")}


def tip(element: ElementTree.Element) -> str:
    """What a pointer shows; direction marks left out."""
    return element.findtext("title", "").replace("\u2068", "").replace("\u2069", "")


@pytest.mark.parametrize("models", [1, 2])
@pytest.mark.parametrize("labels", [1, 2, 6, 61, 527])
@pytest.mark.parametrize("known", [True, False])
def test_every_chart_is_an_image_with_a_name_and_takes_its_looks_from_the_style_sheet(
    report_content: Build, parse_svg: Parse, models: int, labels: int, known: bool
) -> None:
    content = report_content(models=models, labels=labels, clips_train=known, intervals=known)
    ids: list[str] = []
    for draw in CHARTS:
        charts = parse_svg(draw(content))
        assert len(charts) == (models if draw is sunbursts else 1)
        assert draw(content) == draw(content)
        for chart in charts:
            assert chart.tag == "svg"
            assert chart.get("role") == "img"
            assert chart.findtext("title")
            assert chart.findtext("desc")
            mine = [each.get("id") for each in chart.iter() if each.get("id")]
            assert set(chart.get("aria-labelledby", "").split()) <= set(mine)
            ids += [each for each in mine if each]
            for each in chart.iter():
                assert not {"style", "fill", "stroke", "color"} & set(each.keys())
                assert "nan" not in str(each.attrib).lower()
                assert "inf" not in str(each.attrib).lower()
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("draw", CHARTS)
def test_names_stay_text_and_cannot_blow_the_page_up(
    report_content: Build, parse_svg: Parse, draw: Callable[[ReportContent], Markup]
) -> None:
    content = report_content(labels=40, names=HOSTILE)
    hostile = content.model.summary.model_copy(update={"name": HOSTILE[0]})
    content = dataclasses.replace(
        content, model=dataclasses.replace(content.model, summary=hostile)
    )
    drawn = draw(content)
    tags = {each.tag for chart in parse_svg(drawn) for each in chart.iter()}
    assert tags <= {
        "svg",
        "title",
        "desc",
        "g",
        "path",
        "line",
        "rect",
        "circle",
        "text",
        "textPath",
    }
    assert len(drawn) < 150_000
    assert "<img" not in drawn
    assert "<script" not in drawn


def test_curves_rise_where_omap_does_and_end_where_it_is_1(
    report_content: Build, parse_svg: Parse
) -> None:
    content = report_content()
    (chart,) = parse_svg(coarse_levels(content))
    for css, model in (("model", content.model), ("other", content.other)):
        assert model is not None
        points = [each for each in having(chart, css) if each.tag == "circle"]
        values = np.array(model.summary.OmAP_by_coarse_level)
        heights = np.array([float(each.get("cy", "")) for each in points])
        slope, start = np.polyfit(values, heights, 1)
        assert slope < 0
        np.testing.assert_allclose(heights, start + slope * values, atol=0.1)
        one = next(
            each
            for each in having(chart, "tick")
            if each.text == "1" and "end" not in each.get("class", "")
        )
        assert heights[-1] == pytest.approx(float(one.get("y", "")) - 4)
        steps = np.diff([float(each.get("cx", "")) for each in points])
        assert np.ptp(steps) <= 0.11
    assert {"spa", "one-hot"} <= words(chart)
    first = tip(having(chart, "model")[2])
    assert first.startswith("spa at level 0: OmAP 0.461 (")
    assert "\n+0.0355 against one-hot (" in first


def test_names_of_equal_curves_do_not_cover_each_other(
    report_content: Build, parse_svg: Parse
) -> None:
    content = report_content()
    assert content.other is not None
    same = content.model.summary.model_copy(update={"name": "same", "difference": None})
    other = dataclasses.replace(content.other, summary=same)
    (chart,) = parse_svg(coarse_levels(dataclasses.replace(content, other=other)))
    lines = [float(each.get("y", "")) for each in having(chart, "name") + having(chart, "value")]
    assert np.diff(sorted(lines)).min() >= 14


def test_without_resamples_there_is_no_band(report_content: Build, parse_svg: Parse) -> None:
    (chart,) = parse_svg(coarse_levels(report_content(intervals=False)))
    assert not having(chart, "band")
    assert len(having(chart, "curve")) == 2


@pytest.mark.parametrize("levels", [1, 2, 255])
def test_any_number_of_levels_and_curves_that_are_flat(
    report_content: Build, parse_svg: Parse, levels: int
) -> None:
    content = report_content(models=1)
    flat = content.model.summary.model_copy(
        update={
            "OmAP_by_coarse_level": (1.0,) * levels,
            "OmAP_by_coarse_level_intervals": (Interval(value=1.0, low=1.0, high=1.0),) * levels,
        }
    )
    (chart,) = parse_svg(
        coarse_levels(
            dataclasses.replace(content, model=dataclasses.replace(content.model, summary=flat))
        )
    )
    assert len(having(chart, "point")) == levels
    assert (
        2
        <= len([each for each in having(chart, "tick") if "middle" in each.get("class", "")])
        + (levels == 1)
        <= 14
    )


def bars(chart: ElementTree.Element, css: str) -> list[float]:
    return [
        float(each.get("height", ""))
        for each in having(chart, css)
        if each.find("title") is not None
    ]


def test_bars_are_as_high_as_their_counts(report_content: Build, parse_svg: Parse) -> None:
    content = report_content()
    (chart,) = parse_svg(false_positives(content))
    assert content.other is not None
    heights = np.array([bars(chart, "model"), bars(chart, "other")])
    counts = np.array([content.model.false_positives[1:], content.other.false_positives[1:]])
    np.testing.assert_allclose(heights / heights.max(), counts / counts.max(), atol=0.001)
    first = tip(next(each for each in having(chart, "other") if each.find("title") is not None))
    assert (
        first
        == "1 edge off: 450 false positives of one-hot, 5.47 % of its own\nof tags drawn at random: 0.00348 %"
    )
    assert len(having(chart, "chance")) == 2  # the steps, and the key


@pytest.mark.parametrize("levels", [1, 2, 12])
def test_a_model_without_mistakes_gets_an_empty_chart_that_says_so(
    report_content: Build, parse_svg: Parse, levels: int
) -> None:
    content = report_content(models=1)
    none = dataclasses.replace(
        content,
        model=Model(content.model.summary, np.zeros(levels, dtype=np.int64), 0.5),
        expected_distances=np.full(levels, np.nan),
    )
    (chart,) = parse_svg(false_positives(none))
    assert words(chart) == {"no confident false positives"}


def test_every_label_with_an_ap_has_its_dot(report_content: Build, parse_svg: Parse) -> None:
    content = report_content()
    (chart,) = parse_svg(scatter(content))
    labels = [label for label in content.model.summary.per_label if label.AP is not None]
    dots = having(chart, "dot")
    assert len(dots) == len(labels) == 60
    values = np.array([(np.log10(label.clips_train or 0), label.AP) for label in labels])
    places = np.array([(float(each.get("cx", "")), float(each.get("cy", ""))) for each in dots])
    for axis in (0, 1):
        slope, start = np.polyfit(values[:, axis], places[:, axis], 1)
        np.testing.assert_allclose(places[:, axis], start + slope * values[:, axis], atol=0.1)
        assert slope * (1 - 2 * axis) > 0  # rightwards, and upwards
    assert tip(dots[0]).startswith(f"{labels[0].label}: AP ")
    assert 5 <= len(having(chart, "label")) <= 16


def test_labels_that_were_never_trained_stand_left_of_all_others(
    report_content: Build, parse_svg: Parse
) -> None:
    content = report_content(models=1, labels=6)
    never = [
        label.model_copy(update={"clips_train": 0 if i < 2 else 1})
        for i, label in enumerate(content.model.summary.per_label)
    ]
    summary = content.model.summary.model_copy(update={"per_label": tuple(never)})
    (chart,) = parse_svg(
        scatter(
            dataclasses.replace(content, model=dataclasses.replace(content.model, summary=summary))
        )
    )
    across = [float(each.get("cx", "")) for each in having(chart, "dot")]
    assert len(across) == 5
    assert max(across[:2]) < min(across[2:])
    assert {"0", "1"} <= {each.text for each in having(chart, "tick")}


def test_no_label_with_positives(report_content: Build, parse_svg: Parse) -> None:
    content = report_content(labels=3)
    empty = [
        label.model_copy(update={"AP": None, "positives": 0})
        for label in content.model.summary.per_label
    ]
    difference = content.model.summary.difference
    assert difference is not None
    apart = [label.model_copy(update={"AP": None}) for label in difference.per_label]
    summary = content.model.summary.model_copy(
        update={
            "per_label": tuple(empty),
            "difference": difference.model_copy(update={"per_label": tuple(apart)}),
        }
    )
    content = dataclasses.replace(
        content, model=dataclasses.replace(content.model, summary=summary)
    )
    (chart,) = parse_svg(scatter(content))
    assert not having(chart, "dot")
    for each in parse_svg(sunbursts(content)):
        assert {arc.get("class") for arc in having(each, "arc")} == {"arc none"}
