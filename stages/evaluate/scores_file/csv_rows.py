"""The rows of a CSV or TSV file, and the lines of a text, that a user brings, whatever the bytes are."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from stages.errors import ArtifactError

MAX_LINE_CHARS = 1 << 22
"""A longer line is no line of a table, and is not held in memory."""


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number (from 1) of the last line and the cells of each row; the first is the header.

    Cells are parted by tabs where the suffix is .tsv, else by commas; a cell in quotes may hold them,
    and line breaks. Rows without any text are none. Streams: one row is held at a time.

    Raises:
        ArtifactError: the file cannot be opened, is no UTF-8 text or no CSV, has a line or a cell
            beyond all measure, or a row with more or fewer cells than the header.
    """
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    width = 0
    with _open_lines(path) as lines:
        rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
        for cells in rows:
            if not any(cells):
                continue
            width = width or len(cells)
            if len(cells) != width:
                raise ArtifactError(
                    f"{path} line {lines.number} has {len(cells)} cells, the header {width}",
                    "give every row a cell a column; put a cell that holds the delimiter in quotes",
                )
            yield lines.number, cells


def read_lines(path: Path) -> Iterator[str]:
    """Yield each line of a text that is not blank, without the spaces around it.

    Raises:
        ArtifactError: the file cannot be opened, is no UTF-8 text, or has a line beyond all measure.
    """
    with _open_lines(path) as lines:
        for line in lines:
            if text := line.strip():
                yield text


class _Lines:
    """The lines of a text, of which `number` have been read; each at most so long."""

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
            raise csv.Error(f"a line of more than {MAX_LINE_CHARS} characters")
        if "\0" in line:
            raise csv.Error("a NUL, which no text has")
        return line


@contextmanager
def _open_lines(path: Path) -> Iterator[_Lines]:
    """Open a text, and say of whatever stops its reader in which line that was."""
    number = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = _Lines(file)
            try:
                yield lines
            finally:
                number = lines.number
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ArtifactError(
            f"{path} is no UTF-8 text: {error.reason}, after line {number}", "save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise ArtifactError(
            f"{path} line {number} cannot be read: {error}",
            "put text with delimiters in double quotes; keep long lists of scores in Parquet or npz",
        ) from error
