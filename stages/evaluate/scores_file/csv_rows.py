"""The rows of a CSV or TSV file, and the lines of a text, that a user brings, whatever the bytes are."""

import codecs
import csv
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from stages.errors import ArtifactError
from stages.evaluate.scores_file.wording import counted

MAX_LINE_CHARS = 1 << 22
"""A longer line is no line of a table, and is not held in memory."""


def read_rows(
    path: Path, comments_above: Collection[str] | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number (from 1) of the last line and the cells of each row; the first is the header.

    Cells are parted by tabs where the suffix is .tsv, else by commas; a cell in quotes may hold them,
    and line breaks. Rows without any text are none. With `comments_above`, lines that begin with #
    are none either, but below a header with one of these names. Streams: one row is held at a time.

    Raises:
        ArtifactError: the file cannot be opened, is no UTF-8 text or no CSV, has a line or a cell
            beyond all measure, or a row with more or fewer cells than the header.
    """
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    header: list[str] = []
    with _open_lines(path) as lines:
        lines.comments = comments_above is not None
        rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
        for cells in rows:
            lines.within_row = False
            if not any(cells):
                continue
            if not header:
                header = [name.strip() for name in cells]
                lines.comments = lines.comments and not set(header).intersection(
                    comments_above or ()
                )
            if len(cells) != len(header):
                raise ArtifactError(
                    f"{path} line {lines.number} has {counted(len(cells), 'cell')}, the header"
                    f" {len(header)}",
                    "give every row a cell a column; put a cell that holds the delimiter in quotes",
                )
            yield lines.number, cells


def read_lines(path: Path) -> Iterator[str]:
    """Yield each line that is not blank and does not begin with #, without the spaces around it.

    Raises:
        ArtifactError: the file cannot be opened, is no UTF-8 text, or has a line beyond all measure.
    """
    with _open_lines(path) as lines:
        lines.comments = True
        for line in lines:
            lines.within_row = False
            if text := line.strip():
                yield text


class _Lines:
    """The lines of a text, of which `number` have been read; each at most so long.

    With `comments`, those that begin with # are left out, unless the reader is `within_row`: a cell
    in quotes may have such a line.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.number = 0
        self.comments = False
        self.within_row = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._line()
        while self.comments and not self.within_row and line.startswith("#"):
            line = self._line()
        self.within_row = True
        return line

    def _line(self) -> str:
        line = self._file.readline(MAX_LINE_CHARS)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == MAX_LINE_CHARS and line[-1] not in "\r\n":
            raise csv.Error(f"a line of more than {MAX_LINE_CHARS} characters")
        if "\0" in line:
            raise csv.Error("a NUL, which no UTF-8 text has")
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
        if number == 0 and error.object.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise ArtifactError(f"{path} is UTF-16 text", "save it as UTF-8") from error
        raise ArtifactError(
            f"{path} is no UTF-8 text: {error.reason}, after line {number}", "save it as UTF-8"
        ) from error
    except csv.Error as error:
        raise ArtifactError(
            f"{path} line {number} cannot be read: {error}",
            "put text with delimiters in double quotes; keep long lists of scores in Parquet or npz",
        ) from error
