"""Plain `--help` in sections: a command of many options, each under the title of its group."""

from typing import Any

import typer
from typer.core import TyperCommand

_UNTITLED = "Options"


class SectionedCommand(TyperCommand):
    """A command that lists its options by their `rich_help_panel`, those without one last.

    typer does so only in boxes, which cut long names.
    """

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
            found.setdefault(title or _UNTITLED, []).append(line)
        for title, lines in (sections | untitled).items():
            with formatter.section(title):
                formatter.write_dl(lines)
