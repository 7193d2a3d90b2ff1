"""Files that appear whole or not at all."""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PARTIAL = ".partial"
_FULL = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
)  # said by whatever writes, and it names no file


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success fsync it and rename it to `path`.

    A reader sees the old file or the whole new one. On any exception the temporary file is gone;
    what a killed process leaves is found by `remove_partial`. An OSError about the temporary file, or
    that it cannot be written, names `path`.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}{_PARTIAL}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.filename == str(temporary) or (error.filename is None and error.errno in _FULL):
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def remove_partial(folder: Path) -> None:
    """Remove the temporary files of `replacing`, below `folder`, whose process was killed."""
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.startswith(".") and name.endswith(_PARTIAL):
                Path(parent, name).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the disk keep which files are in `folder` (a system that cannot, Windows, is left alone)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
