"""`spa demo`: the whole pipeline twice, one-hot and SPA, on a data set that it makes."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from spa_cli.command import AsJson, Force, print_json, reported
from spa_cli.commands import tag
from spa_cli.commands.evaluate_difference import show_difference
from spa_cli.console import ConsoleReporter
from spa_cli.refusals import RefusingCommand
from stages.demo_data.settings import DemoDataSettings, DemoDataSummary
from stages.embed_labels.settings import EmbedLabelsSettings
from stages.evaluate.settings import EvaluateSettings
from stages.evaluate.summary import EvaluateSummary
from stages.pipeline import DEMO_DATA, EMBED_LABELS, EVALUATE, PREPARE, TAG, TRAIN, R, S, Stage
from stages.prepare.settings import PrepareSettings
from stages.runner import run_stage
from stages.tag.settings import TagSettings
from stages.train.settings import TrainSettings

_EPOCHS = 9


class Demo:
    """The stages in sequence, in one workspace."""

    def __init__(self, workspace: Path, *, force: bool) -> None:
        self.workspace, self.force = workspace, force
        self.reporter = ConsoleReporter()

    def run(self, stage: Stage[S, R], settings: S) -> R:
        """Run one stage and say so."""
        name = getattr(settings, "name", None)
        self.reporter.line(f"== {stage.name}" + (f" --name {name}" if name else ""))
        return run_stage(stage, settings, self.workspace, self.reporter, force=self.force).summary

    def prepared(self, seed: int) -> DemoDataSummary:
        """Make the data set and the label embeddings."""
        data = self.run(DEMO_DATA, DemoDataSettings(seed=seed))
        self.run(PREPARE, PrepareSettings(source=self.workspace / "demo-data"))
        self.run(EMBED_LABELS, EmbedLabelsSettings(text_encoder="minilm"))
        return data

    def trained(self, name: str, weight: float, epochs: int, seed: int) -> None:
        """Train one of the two models."""
        settings = TrainSettings(name=name, alignment_weight=weight, epochs=epochs, seed=seed)
        self.run(TRAIN, settings)


def add(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", cls=RefusingCommand, help="Train one-hot and SPA on made data; compare.")(
        command
    )


def command(
    *,
    workspace: Annotated[
        Path, typer.Option("--workspace", help="Folder of the demonstration's artifacts.")
    ] = Path("spa-demo"),
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training clips.")] = _EPOCHS,
    seed: Annotated[int, typer.Option(min=0, help="Seed of data and training.")] = 0,
    as_json: AsJson = False,
    force: Force = False,
) -> None:
    """Run everything, then show both models' measures, the difference, and one clip's tags."""
    with reported():
        demo = Demo(workspace, force=force)
        data = demo.prepared(seed)
        demo.trained("one-hot", 0.0, epochs, seed)
        demo.trained("spa", TrainSettings().alignment_weight, epochs, seed)
        one_hot = demo.run(EVALUATE, EvaluateSettings(name="one-hot"))
        spa = demo.run(EVALUATE, EvaluateSettings(name="spa", against="one-hot"))
        clip = workspace / data.example_path
        tagged = demo.run(TAG, TagSettings(files=(clip,), model="spa"))
        if as_json:
            runs = {run.name: run.model_dump(mode="json") for run in (one_hot, spa)}
            print_json(
                {**runs, "clip": tag.documents(tagged)[0], "clip_labels": data.example_labels}
            )
            return
        console = Console()
        _show_runs(one_hot, spa, console)
        console.print(f"\nA held-out clip, made of: {', '.join(data.example_labels)}")
        tag.show(tagged, console)
        _show_next_steps(workspace, clip, console)


def _show_runs(one_hot: EvaluateSummary, spa: EvaluateSummary, console: Console) -> None:
    console.print("\nThe same data, encoder and seed, trained twice:")
    table = Table()
    for column in ("training", "OmAP", "mAP"):
        table.add_column(column, justify="left" if column == "training" else "right")
    chance = f"{one_hot.chance_mAP:.4f}"
    table.add_row("chance", "", chance)
    for name, run in (("one-hot", one_hot), ("SPA", spa)):
        table.add_row(name, f"{run.OmAP:.4f}", f"{run.mAP:.4f}")
    console.print(table)
    if spa.difference is not None:
        show_difference(spa.difference, spa.OmAP_is_meaningless, console)


def _show_next_steps(workspace: Path, clip: Path, console: Console) -> None:
    lines = (
        f"Everything is in {workspace}. What to try next:",
        f"  spa tag {clip} --model one-hot --topk 10 --workspace {workspace}",
        f"  in a browser: {workspace}/runs/spa/report.html",
        f"  tensorboard --logdir {workspace}/runs",
        "  spa prepare YOUR_FOLDER --ontology ontology.json",
    )
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
