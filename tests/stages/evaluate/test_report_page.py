"""The report as a file: complete, self-contained, the same every time, and safe to open."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from stages.evaluate.report.content import Model, ReportContent
from stages.evaluate.report.page import render, write_report
from stages.evaluate.summary import Coverage, EvaluateSummary

Build = Callable[..., ReportContent]

HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "\u202eevil \u05e9\u05dc\u05d5\u05dd",
    "\"quotes\" & 'more' {{ 7*7 }} {% raw %}",
    "x" * 10240,
    "--></style><style>*{display:none}</style>",
    "<svg/onload=alert(2)>",
)
VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """The elements, and the text of each kind of element."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]][-1] += data


def changed(content: ReportContent, **fields: object) -> ReportContent:
    """The same content with other fields in the evaluated model's summary."""
    summary = content.model.summary.model_copy(update=fields)
    return replace(content, model=Model(summary, content.model.false_positives, 0.5))


def words(html: str) -> str:
    """What is read: without tags, and with single spaces."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


@pytest.mark.parametrize("models", [1, 2])
@pytest.mark.parametrize("labels", [1, 2, 61])
@pytest.mark.parametrize("intervals", [True, False])
def test_every_size_is_well_formed(
    report_content: Build, models: int, labels: int, intervals: bool
) -> None:
    page = Page(render(report_content(models=models, labels=labels, intervals=intervals)))
    assert not page.open
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    rows = [
        attributes for tag, attributes in page.elements if tag == "tr" and "data-find" in attributes
    ]
    assert len(rows) == labels


def test_same_content_same_bytes(report_content: Build, tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        write_report(tmp_path / name, report_content())
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "b.html"]


def test_an_old_report_stays_when_the_new_one_fails(report_content: Build, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    write_report(report, report_content())
    before = report.read_bytes()
    content = report_content()
    with pytest.raises(ValueError, match="zip"):
        write_report(report, replace(content, paths=content.paths[:-1]))
    assert report.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_the_policy_admits_our_own_script_and_style_alone(report_content: Build) -> None:
    page = Page(render(report_content()))
    policy = next(
        attributes["content"]
        for _, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    for tag in ("script", "style"):
        (text,) = page.texts[tag]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_nothing_outside_is_named(report_content: Build) -> None:
    page = Page(render(report_content()))
    for tag, attributes in page.elements:
        assert tag not in {"iframe", "object", "embed", "img", "form", "base"}
        assert "style" not in attributes  # the policy would refuse it
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "action", "srcset", "poster", "xlink:href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:"))
    (style,) = page.texts["style"]
    assert "url(" not in style
    assert "@import" not in style


def test_hostile_names_are_text(report_content: Build) -> None:
    harmless = Page(render(report_content()))
    page = Page(render(report_content(names=HOSTILE)))
    assert not page.open
    for tag in ("script", "style", "audio", "section"):
        found = [sum(name == tag for name, _ in side.elements) for side in (page, harmless)]
        assert found[0] == found[1]
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in harmless.elements}
    for name in HOSTILE:
        assert name in page.texts["bdi"]


def test_hostile_everything_else_is_text(report_content: Build) -> None:
    content = report_content()
    bad = "\"><script>alert('x')</script>"
    difference = content.model.summary.difference
    assert difference is not None
    content = changed(
        content,
        name=bad,
        split=bad,
        group_by=bad,
        groups=3,
        difference=difference.model_copy(update={"against": bad}),
    )
    confusion = content.confusions[0]
    example = replace(confusion.example, clip_id=bad, labels=(bad, bad))
    lineage = replace(content.lineage, settings={bad: bad}, inputs={bad: bad}, versions={bad: bad})
    content = replace(content, confusions=(replace(confusion, example=example),), lineage=lineage)
    page = Page(render(content))
    assert not page.open
    assert sum(tag == "script" for tag, _ in page.elements) == 1


def test_half_a_surrogate_pair_can_be_written(report_content: Build, tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", report_content(names=["\ud800 lone"]))
    assert "? lone" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_size_for_audioset(report_content: Build) -> None:
    silent = report_content(labels=527, confusions=0)
    assert len(render(silent).encode()) < 3_000_000


def test_a_label_without_a_name_goes_by_its_id(report_content: Build) -> None:
    assert "/t/0" in Page(render(report_content(names=[""]))).texts["bdi"]


def test_labels_stand_in_the_order_that_the_head_says(report_content: Build) -> None:
    for models, column in ((1, "AP"), (2, "AP difference")):
        html = render(report_content(models=models))
        table = html[html.index('id="label-table"') :]
        heads = re.findall(r'aria-sort="(\w+)"><button[^>]*>([^<]*)<', table)
        assert [title for order, title in heads if order == "descending"] == [column]
        at = [title for _, title in heads].index(column) - 1
        values = []
        for row in re.findall(r"<tr data-find.*?</tr>", table, flags=re.DOTALL):
            cell = re.findall(r"<td[^>]*>", row)[at]
            found = re.search(r'data-value="([^"]*)"', cell)
            values.append(float(found.group(1)) if found else None)
        known = [value for value in values if value is not None]
        assert known == sorted(known, reverse=True)
        assert values[len(known) :] == [None]  # the one label without positives


def test_two_models_are_compared_in_words(report_content: Build) -> None:
    text = words(render(report_content()))
    assert "spa is better than one-hot, by OmAP (+0.0145) and by mAP (+0.0355)." in text
    assert "better +0.0355 95 % interval +0.0255 to +0.0455" in text
    alone = words(render(report_content(models=1)))
    assert "one-hot" not in alone.split("Where this comes from")[0]
    assert "spa has an OmAP of 0.779 and an mAP of 0.461" in alone


def test_only_labels_called_better_are_marked(report_content: Build) -> None:
    content = report_content()
    difference = content.model.summary.difference
    assert difference is not None
    won = difference.AP_won[:1]
    few = difference.model_copy(
        update={"AP_won": won, "AP_lost": (), "OmAP_won": (), "OmAP_lost": ()}
    )
    html = render(changed(content, difference=few))
    table = html[html.index('id="label-table"') :]
    assert table.count('<span class="better">') == 1
    assert table.count('<span class="worse">') == 0
    (row,) = [row for row in table.split("<tr ") if '<span class="better">' in row]
    assert f" {won[0]} " in row.split(">")[0]
    assert '<option value="AP-better">AP better (1)</option>' in html


def test_no_interval_no_verdict(report_content: Build) -> None:
    html = render(report_content(intervals=False))
    text = words(html)
    assert "without intervals, no verdict" in text
    assert "none: no resamples were drawn" in text
    assert "labels-won" not in html.split("</style>")[1]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"OmAP_is_meaningless": True}, "OmAP is meaningless here"),
        ({"labels_without_positives": 1}, "Labels without a clip here: 1 of 61."),
        ({"clips_without_labels": 1203}, "Clips without a label: 1,203 of 1,234."),
        ({"disconnected_label_pairs": 12}, "the ontology: 12."),
        (
            {"scores_are_probabilities": False, "thresholds": None, "calibration": None},
            "The scores are no probabilities",
        ),
        (
            {
                "coverage": Coverage(
                    listed=20371,
                    evaluated=20370,
                    unscored=1,
                    unscored_by_other=None,
                    not_listed=5,
                    share=20370 / 20371,
                )
            },
            "20,370 of the 20,371 listed clips (99.9 %) were evaluated; 1 have no scores; 5 scored",
        ),
    ],
)
def test_caveats_come_first(report_content: Build, fields: dict[str, object], said: str) -> None:
    text = words(render(changed(report_content(), **fields)))
    assert said in text
    assert text.index(said) < text.index("How to read it")


def test_no_caveats_no_box(report_content: Build) -> None:
    html = render(changed(report_content(), labels_without_positives=0, clips_without_labels=0))
    assert "caveats" not in html.split("</style>")[1]


def test_what_a_model_has_none_of_is_left_out(report_content: Build) -> None:
    without: dict[str, object] = {"thresholds": None, "calibration": None, "top_k": None}
    text = words(render(changed(report_content(), **without)))
    assert "Tags that score at least" not in text
    assert "Calibration error, all" not in text
    assert "Top-1" not in text
    full = words(render(report_content()))
    assert "Tags that score at least 0.5" in full
    assert "Top-1 accuracy" in full


def test_less_distance_is_better(report_content: Build) -> None:
    html = render(report_content())
    row = html[html.index("Distance of confident false positives") :].split("</tr>")[0]
    assert 'class="num better"' in row
    assert "\N{MINUS SIGN}0.3000" in row


def test_confusions_are_told_and_played(report_content: Build) -> None:
    content = report_content()
    html = render(content)
    audible = [one.example.audio for one in content.confusions if one.example.audio is not None]
    sources = re.findall(r'<audio[^>]* src="data:audio/mpeg;base64,([^"]*)"', html)
    assert [base64.b64decode(source) for source in sources] == audible
    assert "40 of 100 clips \N{MIDDLE DOT} 6 edges apart" in words(html)
    assert "no such tag is false" in words(render(report_content(confusions=0)))


def test_training_clips_or_positives(report_content: Build) -> None:
    assert "AP and training clips" in words(render(report_content()))
    assert "AP and positives" in words(render(report_content(clips_train=False)))


def test_settings_and_lineage_are_all_there(report_content: Build) -> None:
    content = report_content()
    text = words(render(content))
    lineage = content.lineage
    for entries in (lineage.settings, lineage.inputs, lineage.versions):
        for key, value in entries.items():
            assert f"{key} {value}" in text


def test_summary_fields_without_a_value(report_content: Build) -> None:
    fields = {"AUC": None, "d_prime": None, "split": None}
    assert set(fields) <= set(EvaluateSummary.model_fields)
    html = render(changed(report_content(), **fields))
    row = html[html.index("mean area under the ROC curve") :].split("</td>")[0]
    assert "\N{EN DASH}" in row
    assert "<dt>Split</dt>" not in html
