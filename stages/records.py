"""What a stage did last in a workspace, kept so that unchanged work is not done again."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from stages.atomic import replacing
from stages.errors import MissingInputError
from stages.lineage import Lineage, file_sha256

FOLDER = "lineage"


@dataclass(frozen=True)
class Record:
    """One finished run of a stage: what it was made from, what it left, what it said."""

    fingerprint: str
    outputs: dict[str, str]
    summary: dict[str, object]


@dataclass(frozen=True)
class FinishedRun:
    """A run of a stage that has just ended: the paths of its outputs, relative, and what it says."""

    lineage: Lineage
    outputs: tuple[str, ...]
    summary: dict[str, object]


def output_hash(path: Path) -> str:
    """Identify an output: a file by its bytes, a folder by its files' names and sizes.

    A folder can be a terabyte of audio: reading it again to start a stage would cost hours.
    """
    if path.is_dir():
        files = (child for child in path.rglob("*") if child.is_file())
        sizes = sorted(
            (child.relative_to(path).as_posix(), child.stat().st_size) for child in files
        )
        return hashlib.sha256(json.dumps(sizes).encode()).hexdigest()
    return file_sha256(path) if path.is_file() else "absent"


def record_path(workspace: Path, key: str) -> Path:
    """Where the record of a stage (`train-NAME`, say) lies."""
    return workspace / FOLDER / f"{key}.json"


def read_record(workspace: Path, key: str) -> Record | None:
    """The last finished run, or None when there is none (or it is not readable: work is then done again)."""
    return read_record_file(record_path(workspace, key))


def read_record_file(path: Path) -> Record | None:
    """The record at `path`, or None when there is none or it is not readable."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Record(found["fingerprint"], dict(found["outputs"]), found["summary"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_current(workspace: Path, record: Record, lineage: Lineage) -> bool:
    """Whether the record's run had the same settings and inputs, and its outputs are as it left them."""
    if record.fingerprint != lineage.fingerprint():
        return False
    return all(output_hash(workspace / path) == digest for path, digest in record.outputs.items())


def write_record(path: Path, folder: Path, run: FinishedRun) -> None:
    """Write at `path` that `run` is done; its outputs are in `folder`. There is no time in a record."""
    path.parent.mkdir(exist_ok=True)
    content = {
        "fingerprint": run.lineage.fingerprint(),
        "lineage": json.loads(run.lineage.to_json()),
        "outputs": {name: output_hash(folder / name) for name in run.outputs},
        "summary": run.summary,
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def newest_run(workspace: Path) -> str:
    """Name of the run that was trained last in this workspace: its record is the newest file.

    Raises:
        MissingInputError: there is none.
    """
    finished = []
    for path in (workspace / FOLDER).glob("train-*.json"):
        name = path.stem.removeprefix("train-")
        record = read_record(workspace, path.stem)
        if record is not None and (workspace / "runs" / name / "model.safetensors").is_file():
            finished.append((path.stat().st_mtime_ns, name))
    if not finished:
        raise MissingInputError(
            f"no trained model in {workspace}", f"run `spa train --workspace {workspace}` first"
        )
    return max(finished)[1]
