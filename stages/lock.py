"""One process at a time for what must not be done twice at once."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import getpid
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = ".lock-"
# Long enough for a lock file that its owner is just removing to be gone.
AT_ONCE_SECONDS = 0.1


class HeldError(Exception):
    """Another process has the lock: `pid`, or None where the system does not tell."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(pid)
        self.pid = pid


def lock_path(workspace: Path, key: str) -> Path:
    """Where the lock file of the stage `key` lies while it is held."""
    return workspace / f"{_PREFIX}{key}"


def locked_keys(workspace: Path) -> set[str]:
    """Keys that are locked, or were when their process was killed."""
    return {path.name.removeprefix(_PREFIX) for path in workspace.glob(f"{_PREFIX}*")}


@contextmanager
def locked(workspace: Path, key: str, wait_seconds: float = AT_ONCE_SECONDS) -> Iterator[None]:
    """Hold the lock of the stage `key` in `workspace`, which exists.

    The system frees it when the process ends, however it ends. The file is removed afterwards.

    Raises:
        HeldError: another process has it.
    """
    path = lock_path(workspace, key)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=wait_seconds, poll_interval=AT_ONCE_SECONDS / 5)
    except Timeout:
        raise HeldError(_pid(path)) from None
    try:
        with suppress(OSError):  # a full disk: only the message of a second process is poorer
            path.write_text(str(getpid()), encoding="ascii")
        yield
    finally:
        # While it is held: a file that others have opened meanwhile is seen to be gone, and left.
        with suppress(OSError):
            path.unlink()
        lock.release()


def _pid(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
