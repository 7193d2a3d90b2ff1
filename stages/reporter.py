"""How a stage tells a person what it is doing, without knowing how that is shown."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Task(Protocol):
    """One piece of long work with a known size."""

    def advance(self, amount: int = 1, detail: str = "") -> None:
        """`amount` more units are done; `detail` is a few words shown beside the bar."""


class Reporter(Protocol):
    """Where a stage's progress and warnings go (stderr, when a person is watching)."""

    def task(self, name: str, total: int) -> AbstractContextManager[Task]:
        """Show progress of `total` units of work called `name` while the context is open."""

    def line(self, text: str) -> None:
        """Say one line."""

    def warn(self, text: str) -> None:
        """Say one line that the user should not miss."""


class _QuietTask:
    def advance(self, amount: int = 1, detail: str = "") -> None:
        """Say nothing."""


class QuietReporter:
    """Says nothing and keeps the warnings: for library use and tests."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[Task]:  # noqa: ARG002
        """Show nothing."""
        yield _QuietTask()

    def line(self, text: str) -> None:
        """Say nothing."""

    def warn(self, text: str) -> None:
        """Keep the warning."""
        self.warnings.append(text)
