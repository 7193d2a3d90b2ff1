"""Write report.html: one file with all it needs, that reaches for nothing outside it."""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from stages.atomic import replacing
from stages.evaluate.report import wording
from stages.evaluate.report.audio import data_uri
from stages.evaluate.report.charts.coarse_levels import coarse_levels
from stages.evaluate.report.charts.false_positives import false_positives
from stages.evaluate.report.charts.scatter import scatter
from stages.evaluate.report.charts.sunburst import sunbursts
from stages.evaluate.report.content import ReportContent
from stages.evaluate.report.headline import caveats, facts, headline_figures, verdict_sentence
from stages.evaluate.report.label_table import label_table
from stages.evaluate.report.measure_table import measure_table

_PACKAGE = "stages.evaluate.report"
_STYLES = ("style.css", "tables.css", "charts.css", "print.css")


def write_report(path: Path, content: ReportContent) -> None:
    """Write the report to `path`, whole or not at all. The same content gives the same bytes.

    Half of a surrogate pair, which no text file can hold, becomes a question mark.
    """
    html = render(content)
    with replacing(path) as temporary:
        temporary.write_bytes(html.encode("utf-8", "replace"))


def render(content: ReportContent) -> str:
    """The report as HTML. Its only script and style are its own, by their hashes; all text is escaped."""
    style = "\n".join(_read(name) for name in _STYLES)
    script = _read("script.js")
    return _environment().get_template("report.html.j2").render(
        own=content.model.summary,
        other=content.other.summary if content.other else None,
        difference=content.model.summary.difference,
        names=_names(content),
        sentence=verdict_sentence(content),
        figures=headline_figures(content),
        facts=tuple(facts(content.model.summary)),
        caveats=tuple(caveats(content.model.summary)),
        levels_chart=coarse_levels(content),
        sunbursts=sunbursts(content),
        scatter_chart=scatter(content),
        false_positives_chart=false_positives(content),
        knows_training_clips=any(
            row.clips_train is not None for row in content.model.summary.per_label
        ),
        confident=wording.confident(content.model.summary.severity),
        confusions=content.confusions,
        labels=[row.label or row.mid for row in content.model.summary.per_label],
        groups=measure_table(content),
        table=label_table(content),
        lineage=content.lineage,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=_policy(style, script),
    )  # fmt: skip


def _names(content: ReportContent) -> tuple[str, str]:
    """The two models' names for people; the second is empty where there is none."""
    difference = content.model.summary.difference
    own = wording.short_name(content.model.summary.name)
    return own, wording.short_name(difference.against) if difference else ""


def _policy(style: str, script: str) -> str:
    """Content security policy: nothing is loaded, and nothing runs but our own script."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            "media-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _read(name: str) -> str:
    return files(_PACKAGE).joinpath(name).read_text(encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=wording.number,
        signed=wording.signed,
        count=wording.count,
        bounds=wording.bounds,
        signed_bounds=wording.signed_bounds,
        verdict=wording.verdict,
        verdict_words=wording.verdict_words,
        audio_uri=data_uri,
    )
    return environment
