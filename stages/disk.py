"""What the disk refuses, in words: full, over quota, a file too large, no permission."""

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.errors import DiskFullError, SpaError

_REASONS = {
    errno.ENOSPC: "no space is left on the disk",
    errno.EDQUOT: "your quota on the disk is used up",
    errno.EFBIG: "it would be larger than is allowed here",
}
_AGAIN = "then run the same command again"
_SHORTER = {errno.ENAMETOOLONG: "give a shorter path"}
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
            message = f"{error.filename or where}: {error.strerror or error}"
            named = SpaError(message, _SHORTER.get(error.errno or 0))
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
            what = getattr(seen, "filename", None)
            if number == errno.EFBIG:
                return _too_large(what, where)
            reason = _REASONS[number]
            return DiskFullError(
                f"{what or where} cannot be written: {reason} ({_free(where)} free)",
                f"free space on that disk, {_AGAIN}",
            )
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return None


def _too_large(what: str | None, where: Path) -> DiskFullError:
    """Say which limit it is: the process's own, with the size, or that of the file system."""
    limit = _file_size_limit()
    name = what or _of_size(limit, where) or f"a file in {where}"
    message = f"{name} cannot be written: {_REASONS[errno.EFBIG]}"
    if limit is None:
        step = f"name a --workspace on another disk, {_AGAIN}"
        return DiskFullError(f"{message} (the limit of its file system)", step)
    step = f"allow larger files (`ulimit -f`), {_AGAIN}"
    return DiskFullError(f"{message} (a file size limit of {_in_words(limit)} is set)", step)


def _number(error: BaseException) -> int | None:
    """Which of the reasons `error` is, by its number or, of a library that gives none, its words."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno if error.errno in _REASONS else None
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _WRITERS:
        return next((number for number in _REASONS if os.strerror(number) in str(error)), None)
    return None


def _file_size_limit() -> int | None:
    """How many bytes a file of this process may have; None: as many as the file system can hold."""
    if sys.platform == "win32":
        return None
    import resource  # there is none on Windows

    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def _of_size(limit: int | None, where: Path) -> Path | None:
    """The file below `where` that has reached the limit: what wrote it did not say its name."""
    files = () if limit is None else (path for path in where.rglob("*") if path.is_file())
    return next((path for path in files if path.stat().st_size == limit), None)


def _free(path: Path) -> str:
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        return _in_words(shutil.disk_usage(path).free)
    except OSError:
        return "unknown space"


def _in_words(number: int) -> str:
    size = float(number)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
