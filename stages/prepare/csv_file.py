"""Read a CSV file that a data set or a user brings."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from stages.errors import ArtifactError


def read_lines(path: Path, comment: str | None = None) -> Iterator[tuple[int, list[str]]]:
    """Yield the number (from 1) and the fields of each line; lines that begin with `comment` are none.

    Spaces after a comma are no part of a field. Streams: one line is held at a time.

    Raises:
        ArtifactError: the file cannot be opened, is no UTF-8 text, or has a field beyond all measure.
    """
    try:
        with path.open("r", encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True)
            for fields in reader:
                if fields and not (comment and fields[0].startswith(comment)):
                    yield reader.line_num, fields
    except UnicodeDecodeError as error:
        raise ArtifactError(f"{path} is no UTF-8 text: {error.reason}") from error
    except csv.Error as error:
        raise ArtifactError(f"{path} line {reader.line_num} is no CSV: {error}") from error
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error


def read_table(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str] | None]]:
    """Yield the line number and the named columns of each row; None where the row is too short.

    Raises:
        ArtifactError: as `read_lines`, or the header lacks one of `columns`.
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
