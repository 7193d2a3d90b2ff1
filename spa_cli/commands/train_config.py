"""`spa train --config` and `--recipe`: what flags leave open comes from a file, then from a recipe."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from spa_cli.command import reported
from spa_cli.console import ConsoleReporter
from spa_cli.options import build, check_text
from stages.train.idle import refuse_idle
from stages.train.recipes import RECIPES, Recipe
from stages.train.settings import TrainSettings

_HELP = (
    "TOML file of settings, such as the train.toml of a run; flags win over it, it over the recipe that"
    " it names."
)
_OPTION = typer.Option(
    "--config",
    metavar="FILE",
    help=_HELP,
    show_default=False,
    rich_help_panel=TrainSettings.group_of("recipe"),
)
_TYPED = ("COMMANDLINE", "ENVIRONMENT")  # where click found a parameter


def with_config(train: Callable[..., None]) -> Callable[..., None]:
    """Give the command `train` the option --config, and pass on only what was chosen.

    So a default is no choice, and a recipe's value stands in its place.
    """

    def command(*, context: typer.Context, config: Path | None, **values: Any) -> None:
        of_the_training = {name: values.pop(name) for name in TrainSettings.model_fields}
        typed = {
            name: of_the_training[name] for name in of_the_training if _is_typed(context, name)
        }
        chosen = _from_file(config, typed) | typed
        settings = build(TrainSettings, chosen)
        with reported():
            refuse_idle(settings, typed)
        if settings.recipe is not None:
            ConsoleReporter().line(in_words(settings, RECIPES[settings.recipe]))
        train(**values, **chosen)

    kinds = {"context": typer.Context, "config": Annotated[Path | None, _OPTION]}
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in kinds.items()
    ]
    parameters += inspect.signature(train).parameters.values()
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {found.name: found.annotation for found in parameters}
    return command


def _is_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name in _TYPED


def in_words(settings: TrainSettings, recipe: Recipe) -> str:
    """One line: the recipe's paper, and which of its values this training has."""
    kept = (
        f"--{name.replace('_', '-')} {value}"
        for name, value in recipe.values.items()
        if getattr(settings, name) == value
    )
    line = f"recipe {settings.recipe} ({recipe.citation}): {' '.join(kept)}"
    if recipe.start is None or settings.init is not None:
        return line
    return (
        f"{line}; the paper started from {recipe.start} weights, this from random ones (see --init)"
    )


def _from_file(config: Path | None, typed: Mapping[str, Any]) -> dict[str, Any]:
    if config is None:
        return {}
    check_text(config, "config")
    from stages.train.config import read_config, refuse_other_recipe  # needs a parser of TOML

    with reported():
        found = read_config(config)
        refuse_other_recipe(config, found, typed)
    return found
