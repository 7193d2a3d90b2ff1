"""The folder in which a stage works, and what becomes of it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.atomic import remove_partial
from stages.commit import has_journal, roll_forward
from stages.disk import disk_errors_named
from stages.errors import WORK_KEPT, UnusableWorkError
from stages.lock import AT_ONCE_SECONDS, HeldError, locked, locked_keys

_PREFIX = ".staging-"
# What a stopped run of another identity has done, until the run that takes its place has done something.
_SET_ASIDE = ".set-aside-"
# Holds the identity of the run that may go on in this folder. Without it the folder is litter.
_IDENTITY = ".identity"
_COMMIT_SECONDS = 10.0


def staging_path(workspace: Path, key: str) -> Path:
    """Where the stage `key` works."""
    return workspace / f"{_PREFIX}{key}"


@contextmanager
def staging_folder(
    workspace: Path,
    key: str,
    identity: str,
    resumes_from: str | None,
    wait_seconds: float = AT_ONCE_SECONDS,
) -> Iterator[Path]:
    """Yield the folder to work in, alone; afterwards move into place what its journal names.

    It is empty, or, where a run of the same `identity` was stopped when it had something in the
    folder `resumes_from`, as that run left it. Without a journal it is removed, or kept for that
    reason, which is noted on the exception (`WORK_KEPT`).

    Raises:
        HeldError: another process is at work in it, and has been for `wait_seconds`.
    """
    folder = staging_path(workspace, key)
    created = [path for path in (workspace, *workspace.parents) if not path.exists()]
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        with locked(workspace, key, wait_seconds):
            try:
                with disk_errors_named(folder):
                    finish(workspace, key)  # of a run that was killed since `finish_left_over`
                    _open(folder, identity, resumes_from)
                    yield folder
                    finish(workspace, key)
                    _remove(_set_aside(folder))
            except BaseException as error:
                _settle(workspace, key, resumes_from, error)
                raise
    finally:
        for path in created:
            _remove_if_empty(path)


def _open(folder: Path, identity: str, resumes_from: str | None) -> None:
    _put_back(folder, resumes_from)  # of a run that was killed
    if _can_go_on(folder, resumes_from):
        if _identity(folder) == identity:
            remove_partial(folder)
            return
        folder.rename(_set_aside(folder))
    forget(folder)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    if resumes_from:
        (folder / _IDENTITY).write_text(identity, encoding="ascii")


def _settle(workspace: Path, key: str, resumes_from: str | None, error: BaseException) -> None:
    """What becomes of the folder when `error` has stopped the run."""
    folder = staging_path(workspace, key)
    if has_journal(folder) and isinstance(error, KeyboardInterrupt):
        finish(workspace, key)  # which takes a moment: rather than in the middle, stop after it
        _remove(_set_aside(folder))
    elif has_journal(folder) or _can_go_on(folder, resumes_from):
        if not isinstance(error, UnusableWorkError):
            error.add_note(WORK_KEPT)
    else:
        _remove(folder)
    _put_back(folder, resumes_from)


def _set_aside(folder: Path) -> Path:
    return folder.with_name(_SET_ASIDE + folder.name.removeprefix(_PREFIX))


def _put_back(folder: Path, resumes_from: str | None) -> None:
    """Have what was set aside again where no run can go on in the folder; else do away with it."""
    aside = _set_aside(folder)
    if not aside.exists():
        return
    if has_journal(folder) or _can_go_on(folder, resumes_from):
        _remove(aside)
        return
    _remove(folder)
    aside.rename(folder)


def forget(folder: Path) -> None:
    """Make the folder litter: no run goes on in it."""
    (folder / _IDENTITY).unlink(missing_ok=True)


def finish(workspace: Path, key: str) -> None:
    """Do what a journal says, and remove the folder if no run can go on in it."""
    folder = staging_path(workspace, key)
    if has_journal(folder):
        forget(folder)
        roll_forward(workspace, folder, key)
    if _identity(folder) is None:
        _remove(folder)


def finish_left_over(workspace: Path) -> dict[str, int | None]:
    """Finish what killed runs of any stage left in `workspace`; the keys at work now, and their processes."""
    held = {}
    locks = locked_keys(workspace)
    folders = {path.name.removeprefix(_PREFIX) for path in workspace.glob(f"{_PREFIX}*")}
    for key in sorted(folders | locks):
        folder = staging_path(workspace, key)
        journal = has_journal(folder)
        if key not in locks and not journal and _identity(folder) is not None:
            continue  # kept, for the command that goes on in it
        try:
            # A process that has written its journal needs only a moment more.
            with locked(workspace, key, _COMMIT_SECONDS if journal else AT_ONCE_SECONDS):
                finish(workspace, key)
        except HeldError as error:
            held[key] = error.pid
        except OSError:
            if journal:
                raise
    return held


def is_of_another(workspace: Path, key: str, identity: str, resumes_from: str | None) -> bool:
    """Whether a run could go on from what one has left, but not one of this `identity`."""
    folder = staging_path(workspace, key)
    if not _can_go_on(folder, resumes_from):
        folder = _set_aside(folder)
    return _identity(folder) != identity and _can_go_on(folder, resumes_from)


def remove_if_of(workspace: Path, key: str, identity: str) -> None:
    """Remove the folder when the run that could go on in it is one that has finished since."""
    folder = staging_path(workspace, key)
    if _identity(folder) == identity:
        with locked(workspace, key):
            _remove(folder)


def _identity(folder: Path) -> str | None:
    try:
        return (folder / _IDENTITY).read_text(encoding="ascii")
    except (OSError, ValueError):
        return None


def _can_go_on(folder: Path, resumes_from: str | None) -> bool:
    if resumes_from is None or _identity(folder) is None:
        return False
    parts = folder / resumes_from
    return parts.is_dir() and any(parts.iterdir())


def _remove(folder: Path) -> None:
    forget(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
