"""Move what a stage has written into the workspace, so that being killed at any point loses nothing.

The record of the run is written into the staging folder first: it is the journal. From then on the
run is done; only files have still to be renamed, by this command or, if it is killed, by the next.
"""

import shutil
from pathlib import Path, PurePosixPath

from stages.atomic import remove_partial, sync_folder
from stages.records import FinishedRun, Record, read_record_file, record_path, write_record

_JOURNAL = ".journal.json"


def write_journal(staging: Path, run: FinishedRun) -> None:
    """Say that the outputs of `run`, in the staging folder, are complete and checked."""
    remove_partial(staging)
    write_record(staging / _JOURNAL, staging, run)
    sync_folder(staging)


def has_journal(staging: Path) -> bool:
    """Whether the run has written all, and its outputs are to be moved."""
    return _read_journal(staging) is not None


def _read_journal(staging: Path) -> Record | None:
    record = read_record_file(staging / _JOURNAL)
    if record is None or not all(_stays_inside(path) for path in record.outputs):
        return None
    return record


def _stays_inside(path: str) -> bool:
    """A workspace may come from elsewhere: no journal moves anything out of it."""
    parts = PurePosixPath(path.replace("\\", "/"))
    return bool(parts.parts) and not parts.is_absolute() and ".." not in parts.parts


def roll_forward(workspace: Path, staging: Path, key: str) -> None:
    """Move the outputs that the journal names into place, and last the journal: it is the record.

    Whatever was done before is passed over, so this can be repeated from any point.
    """
    journal = _read_journal(staging)
    if journal is None:
        return
    record = record_path(workspace, key)
    record.unlink(missing_ok=True)
    for path in journal.outputs:
        _move_into_place(staging / path, workspace / path)
    record.parent.mkdir(exist_ok=True)
    sync_folder(workspace)
    (staging / _JOURNAL).replace(record)


def _move_into_place(new: Path, old: Path) -> None:
    if not new.exists():
        return  # moved before
    old.parent.mkdir(parents=True, exist_ok=True)
    if old.is_dir():
        aside = new.with_name(f".{new.name}.old")
        shutil.rmtree(aside, ignore_errors=True)
        old.rename(aside)
    new.replace(old)
