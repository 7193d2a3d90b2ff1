"""What the disk refuses, in words: full, over quota, a file too large, no permission."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.errors import DiskFullError, SpaError

_REASONS = {
    errno.ENOSPC: ("no space is left on the disk", "free space on that disk"),
    errno.EDQUOT: ("your quota on the disk is used up", "free space on that disk"),
    errno.EFBIG: (
        "the file would be larger than is allowed here",
        "allow larger files (`ulimit -f`) or name a --workspace on another disk",
    ),
}
# Libraries that write by themselves say why in words, as errors of their own.
_WRITERS = frozenset({"pyarrow", "duckdb", "_duckdb", "safetensors", "safetensors_rust"})


@contextmanager
def disk_errors_named(where: Path) -> Iterator[None]:
    """Turn what the disk refuses into a `SpaError`; `where` is named when the system names no file.

    Raises:
        DiskFullError: nothing more can be written.
        SpaError: another OSError.
    """
    try:
        yield
    except DiskFullError:
        raise
    except Exception as error:
        named: SpaError | None = _disk_full(error, where)
        if named is None and isinstance(error, OSError):
            named = SpaError(f"{error.filename or where}: {error.strerror or error}")
        if named is None:
            raise
        for note in getattr(error, "__notes__", ()):
            named.add_note(note)
        raise named from error


def _disk_full(error: BaseException, where: Path) -> DiskFullError | None:
    """The error to raise when `error`, or what it came from, is that nothing can be written."""
    seen: BaseException | None = error
    while seen is not None:
        number = _number(seen)
        if number is not None:
            reason, next_step = _REASONS[number]
            what = getattr(seen, "filename", None) or where
            return DiskFullError(
                f"{what} cannot be written: {reason} ({_free(where)} free)",
                f"{next_step}, then run the same command again",
            )
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return None


def _number(error: BaseException) -> int | None:
    """Which of the reasons `error` is, by its number or, of a library that gives none, its words."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno if error.errno in _REASONS else None
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _WRITERS:
        return next((number for number in _REASONS if os.strerror(number) in str(error)), None)
    return None


def _free(path: Path) -> str:
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        size = float(shutil.disk_usage(path).free)
    except OSError:
        return "unknown space"
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
