"""`spa train`."""

import typer
from rich.console import Console

from spa_cli.command import add_stage
from spa_cli.commands.train_config import with_config
from spa_cli.console import printable
from stages.pipeline import TRAIN
from stages.train.rate import in_words
from stages.train.settings import TrainSummary


def add(app: typer.Typer) -> None:
    """Add the command."""
    add_stage(app, TRAIN, show, extend=with_config)


def show(summary: TrainSummary, console: Console) -> None:
    """Print what was trained, how well it did on validation, and where the model is."""
    console.print(
        f"run '{summary.name}': encoder {summary.encoder} ({summary.parameters / 1e6:.2f} M parameters), "
        f"{_how(summary)}",
        highlight=False,
        soft_wrap=True,
    )
    if summary.init is not None:
        console.print(
            f"started from {printable(summary.init)}, whose head knows {summary.labels_known} of the labels",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if summary.valid_map is not None:
        console.print(
            f"{_kept(summary)}: mAP {summary.valid_map:.4f}, OmAP {summary.valid_omap:.4f}"
            f" ({summary.valid_clips} clips)",
            highlight=False,
            soft_wrap=True,
        )
    console.print(f"model: {summary.model}", markup=False, highlight=False, soft_wrap=True)


def _kept(summary: TrainSummary) -> str:
    """Which weights are in the model file."""
    if summary.epochs == 0:
        return "validation"
    if summary.best_averaged:
        return f"best validation of averaged weights, up to epoch {summary.best_epoch}"
    return f"best validation in epoch {summary.best_epoch}"


def _how(summary: TrainSummary) -> str:
    """How it was trained, on what and how fast."""
    if summary.epochs == 0:
        return f"not trained, on {summary.device}"
    how = "one-hot"
    if summary.alignment is not None:
        how = f"alignment {summary.alignment}, weight {summary.alignment_weight:g}"
    epochs = f"{summary.epochs} epoch{'s'[: summary.epochs > 1]}"
    heard = f"{summary.train_clips} clips, {epochs}"
    if summary.clips_per_epoch is not None:
        heard = f"{epochs} of {summary.clips_per_epoch} clips out of {summary.train_clips}"
    return f"{how}, {heard} on {summary.device}, {in_words(summary.clips_per_second)}"
