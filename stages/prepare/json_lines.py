"""Read a JSON Lines file that a user brings, whatever its bytes are."""

import json
from collections.abc import Iterator
from pathlib import Path

from stages.errors import ArtifactError

MAX_LINE_BYTES = 1 << 20
"""A longer line is not held in memory, and gives no object."""


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, object] | str]]:
    """Yield the number (from 1) of each line and its object, or why there is none.

    Empty lines are none. Streams: one line is held at a time.

    Raises:
        ArtifactError: the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE_BYTES):
                number += 1
                if len(line) == MAX_LINE_BYTES and line[-1:] != b"\n":
                    while (rest := file.readline(MAX_LINE_BYTES)) and rest[-1:] != b"\n":
                        pass
                    yield number, f"longer than {MAX_LINE_BYTES} bytes"
                elif line.strip():
                    yield number, _parse(line)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error


def _parse(line: bytes) -> dict[str, object] | str:
    try:
        parsed = json.loads(line.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        return f"broken JSON: {error.msg}"
    except UnicodeDecodeError:
        return "no UTF-8 text"
    except (ValueError, RecursionError):  # a number or a nesting beyond Python's limits
        return "JSON beyond Python's limits"
    return parsed if isinstance(parsed, dict) else "no JSON object"
