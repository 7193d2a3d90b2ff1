"""Read a CSV or TSV file that a data set or a user brings, whatever its bytes are."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from stages.errors import ArtifactError

MAX_LINE_CHARS = 1 << 20
"""A longer line is not held in memory, and gives no row."""


class _Lines:
    """The lines of a file, each at most so long. One that is no text raises csv.Error once."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_LINE_CHARS)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == MAX_LINE_CHARS and line[-1] not in "\r\n":
            self._skip_rest()
            raise csv.Error("a line beyond all measure")
        if "\0" in line or not (line.isascii() or _is_unicode(line)):
            raise csv.Error("a line that is no UTF-8 text")
        return line

    def _skip_rest(self) -> None:
        while (rest := self._file.readline(MAX_LINE_CHARS)) and rest[-1] not in "\r\n":
            pass


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _open_lines(path: Path) -> Iterator[_Lines]:
    try:
        with path.open("r", encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield _Lines(file)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error


def read_text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the number (from 1) and the text of each line that is not blank, without its spaces.

    Lines end in LF, CR or both, and in nothing else. Streams: one line is held at a time.

    Raises:
        ArtifactError: the file cannot be opened, or a line is no UTF-8 text, holds a NUL, or is
            longer than `MAX_LINE_CHARS`.
    """
    with _open_lines(path) as lines:
        try:
            for line in lines:
                if text := line.strip():
                    yield lines.number, text
        except csv.Error as error:
            raise ArtifactError(f"{path} line {lines.number}: {error}") from error


def read_lines(
    path: Path, comment: str | None = None, delimiter: str = ",", *, keep_spaces: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number (from 1) and the fields of each row; lines that begin with `comment` are none.

    A row over several lines has the number of its last. A row that cannot be read has no fields:
    it is no UTF-8 text, holds a NUL, or has a line longer than `MAX_LINE_CHARS` or a field longer
    than the csv module takes. With `keep_spaces`, spaces after a delimiter are part of the field.
    Streams: one row is held at a time.

    Raises:
        ArtifactError: the file cannot be opened.
    """
    with _open_lines(path) as lines:
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=not keep_spaces)
        while True:
            try:
                fields = next(reader)
            except csv.Error:  # the reader then begins a row anew
                yield lines.number, []
                continue
            except StopIteration:
                return
            if fields and not (comment and fields[0].startswith(comment)):
                yield lines.number, fields


def read_table(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str] | None]]:
    """Yield the line number and the named columns of each row; None where the row lacks one.

    Raises:
        ArtifactError: the file cannot be opened, or its header lacks one of `columns`.
    """
    lines = read_lines(path)
    _, header = next(lines, (1, []))
    lacking = [column for column in columns if column not in header]
    if lacking:
        raise ArtifactError(f"{path} has no column {lacking[0]!r}; its header is {header[:20]}")
    places = {column: header.index(column) for column in columns}
    for number, fields in lines:
        whole = len(fields) > max(places.values())
        yield number, {name: fields[at] for name, at in places.items()} if whole else None
