"""What is wrong with an option's value, in words that name the value."""

from typing import Any

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from typer.core import TyperCommand


def refusal(first: ErrorDetails) -> str:
    """What pydantic has found, and the value that it found it in."""
    said, got = first["msg"].removeprefix("Value error, "), repr(first["input"])
    if first["type"] == "string_pattern_mismatch":
        said = "only letters, digits, '.', '_' and '-', and no '.', '_' or '-' first"
    return said if got in said else f"{said} (got {got})"


class RefusingCommand(TyperCommand):
    """A command that words what typer refuses as it words what the settings refuse."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command's arguments."""
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            if isinstance(error.__cause__, ValidationError):
                error.message = refusal(error.__cause__.errors()[0])
            raise
