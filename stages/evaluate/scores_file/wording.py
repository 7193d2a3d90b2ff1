"""How messages speak of a file that a user brings, and of the names in it, which may be of any length."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from stages.errors import ArtifactError

_MOST_CHARS = 60
_MOST_NAMES = 8


def quoted(name: str) -> str:
    """A name in quotes, cut where it is long."""
    return repr(name if len(name) <= _MOST_CHARS else f"{name[:_MOST_CHARS]}...")


def listed(names: Sequence[str]) -> str:
    """The first few names, in brackets."""
    shown = [quoted(name) for name in names[:_MOST_NAMES]]
    return f"[{', '.join([*shown, '...'] if len(names) > len(shown) else shown)}]"


def counted(number: int, noun: str) -> str:
    """`1 clip`, `2 clips`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def group_step(possible: Sequence[str]) -> str:
    """The next step where clips cannot be grouped by the column that was named."""
    if not possible:
        return "leave out --group-by: the file has no further column of text or whole numbers"
    return f"--group-by takes a column of text or whole numbers: {listed(possible)[1:-1]}"


def check_readable(path: Path) -> None:
    """Check that there is such a file, and that it may be read.

    Raises:
        ArtifactError: there is none, it is a folder, or it may not be read.
    """
    try:
        is_folder = stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        raise ArtifactError(
            f"{path} cannot be read: {error.strerror}",
            "check the path; it starts at the folder that the command is run in",
        ) from error
    if is_folder:
        raise ArtifactError(f"{path} cannot be read: Is a directory", "name a file in it")
    if not os.access(path, os.R_OK):
        raise ArtifactError(f"{path} cannot be read: Permission denied", "make it readable")
