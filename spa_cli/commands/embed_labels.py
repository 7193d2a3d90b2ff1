"""`spa embed-labels`."""

import typer
from rich.console import Console

from spa_cli.command import add_stage
from stages.embed_labels.settings import EmbedLabelsSummary
from stages.pipeline import EMBED_LABELS

_PAIRS_SHOWN = 5


def add(app: typer.Typer) -> None:
    """Add the command."""
    add_stage(app, EMBED_LABELS, show)


def show(summary: EmbedLabelsSummary, console: Console) -> None:
    """Print what was embedded, how it follows the ontology, and which labels read alike."""
    console.print(
        f"{summary.labels} labels, {summary.dimensions} dimensions, {summary.text_encoder}, "
        f"prompt {summary.prompt}",
        markup=False, highlight=False,
    )  # fmt: skip
    if summary.spearman is not None:
        console.print(f"Spearman correlation of text and ontology distance: {summary.spearman:.3f}")
    pairs = summary.near_duplicates
    if pairs:
        console.print(f"{len(pairs)} label pairs with nearly the same text:")
    for pair in pairs[:_PAIRS_SHOWN]:
        console.print(f"  {pair.cosine:.3f}  {pair.label} / {pair.other}", markup=False)
    if len(pairs) > _PAIRS_SHOWN:
        console.print(f"  ... and {len(pairs) - _PAIRS_SHOWN} more (--json lists all)")
