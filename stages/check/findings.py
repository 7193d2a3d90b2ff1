"""The problems of a workspace."""

from pathlib import Path

from stages.check.settings import Problem
from stages.errors import SpaError

PROBLEMS_NAMED = 20
PREPARE_AGAIN = "run `spa prepare SOURCE --force` again"


class Findings:
    """Problems in the order in which they were added: all are counted, the first few are kept."""

    def __init__(self) -> None:
        self.count = 0
        self.named: list[Problem] = []

    def add(self, where: str, what: str, next_step: str = PREPARE_AGAIN) -> None:
        """Add a problem."""
        self.count += 1
        if len(self.named) < PROBLEMS_NAMED:
            self.named.append(Problem(where=where, what=what, next_step=next_step))


def in_a_line(error: Exception, path: Path) -> str:
    """What is wrong with the file at `path`, without its name: that is said beside it."""
    if isinstance(error, SpaError):
        return error.message.removeprefix(str(path)).lstrip(": ")
    return f"cannot be read: {(str(error).splitlines() or [type(error).__name__])[0]}"
