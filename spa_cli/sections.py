"""Plain `--help` in sections: a command of many options, each under the title of its group."""

from collections.abc import Mapping
from typing import Any, ClassVar

import typer

from spa_cli.refusals import RefusingCommand

_UNTITLED = "Options"


class SectionedCommand(RefusingCommand):
    """A command that lists its options by their `rich_help_panel`, those without one last.

    typer does so only in boxes, which cut long names. `ranges` of options are shown behind their defaults.
    """

    ranges: ClassVar[Mapping[str, str]] = {}

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Write arguments and options to click's help formatter."""
        sections: dict[str, list[tuple[str, str]]] = {}
        untitled: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            line = parameter.get_help_record(ctx)
            title = getattr(parameter, "rich_help_panel", None)
            if line is None:
                continue
            if parameter.param_type_name == "argument":
                title = "Arguments"
            found = sections if title else untitled
            shown = _with_range(line[1], self.ranges.get(parameter.name or ""))
            found.setdefault(title or _UNTITLED, []).append((line[0], shown))
        for title, lines in (sections | untitled).items():
            with formatter.section(title):
                formatter.write_dl(lines)


def sectioned(option_ranges: Mapping[str, str]) -> type[SectionedCommand]:
    """Give the command the ranges of its options, by their parameters' names."""

    class Command(SectionedCommand):
        ranges = option_ranges

    return Command


def _with_range(help_text: str, shown: str | None) -> str:
    if shown is None:
        return help_text
    if help_text.endswith("]"):  # of the default
        return f"{help_text[:-1]}; {shown}]"
    return f"{help_text}  [{shown}]"
