"""What a person sees: results on stdout, progress and warnings on stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from stages.reporter import Task

_SECONDS_BETWEEN_LINES = 5.0
_LONGEST_CHARS = 2000  # of an error


def printable(text: str) -> str:
    """Escape what could move the cursor or break the line: names come from untrusted files."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class _LiveTask:
    def __init__(self, progress: Progress, task: TaskID) -> None:
        self.progress, self.task = progress, task

    def advance(self, amount: int = 1, detail: str = "") -> None:
        self.progress.update(self.task, advance=amount, detail=printable(detail))


class _PlainTask:
    """Progress for logs: a line every few seconds, and one at the end."""

    def __init__(self, console: Console, name: str, total: int) -> None:
        self.console, self.name, self.total = console, name, total
        self.done = 0
        self.started = self.last = time.monotonic()

    def advance(self, amount: int = 1, detail: str = "") -> None:
        self.done += amount
        now = time.monotonic()
        if now - self.last < _SECONDS_BETWEEN_LINES and self.done < self.total:
            return
        self.last = now
        left = (now - self.started) / max(self.done, 1) * (self.total - self.done)
        text = f"{self.name}: {self.done}/{self.total}  {printable(detail)}  {left:.0f} s left"
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


class ConsoleReporter:
    """Reports to stderr: a live bar on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stderr)

    @contextmanager
    def task(self, name: str, total: int) -> Iterator[Task]:
        """Show progress of `total` units while open."""
        if not self.console.is_terminal:
            yield _PlainTask(self.console, name, total)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
        )
        with Progress(*columns, console=self.console, transient=True) as progress:
            yield _LiveTask(progress, progress.add_task(name, total=total, detail=""))

    def line(self, text: str) -> None:
        """Say one line."""
        self.console.print(printable(text), highlight=False, markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """Say one line, marked as a warning."""
        self.line(f"warning: {text}")


def fail(message: str, next_step: str | None) -> None:
    """Print an error: one line, and a second with the next step."""
    sys.stderr.write(f"error: {_cut(printable(message))}\n")
    if next_step:
        sys.stderr.write(f"  next: {_cut(printable(next_step))}\n")


def _cut(line: str) -> str:
    """A line that a person can still read: names come from untrusted files."""
    half = _LONGEST_CHARS // 2
    return line if len(line) <= _LONGEST_CHARS else f"{line[:half]} ... {line[-half:]}"
