"""What a stage did last in a workspace, kept so that unchanged work is not done again."""

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stages.errors import MissingInputError
from stages.lineage import Lineage, file_sha256

FOLDER = "lineage"


@dataclass(frozen=True)
class Record:
    """One finished run of a stage: what it was made from, what it left, what it said."""

    fingerprint: str
    outputs: dict[str, str]
    summary: dict[str, object]
    finished_at: str


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
    try:
        found = json.loads(record_path(workspace, key).read_text(encoding="utf-8"))
        return Record(
            found["fingerprint"], found["outputs"], found["summary"], found["finished_at"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_current(workspace: Path, record: Record, lineage: Lineage) -> bool:
    """Whether the record's run had the same settings and inputs, and its outputs are as it left them."""
    if record.fingerprint != lineage.fingerprint():
        return False
    return all(output_hash(workspace / path) == digest for path, digest in record.outputs.items())


def write_record(
    workspace: Path,
    key: str,
    lineage: Lineage,
    outputs: tuple[str, ...],
    summary: dict[str, object],
) -> None:
    """Say that the stage is done: the last thing that a run writes."""
    path = record_path(workspace, key)
    path.parent.mkdir(exist_ok=True)
    content = {
        "fingerprint": lineage.fingerprint(),
        "finished_at": datetime.now(UTC).isoformat(),
        "lineage": json.loads(lineage.to_json()),
        "outputs": {name: output_hash(workspace / name) for name in outputs},
        "summary": summary,
    }
    temporary = path.with_suffix(".json.new")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def newest_run(workspace: Path) -> str:
    """Name of the run that was trained last in this workspace.

    Raises:
        MissingInputError: there is none.
    """
    finished = []
    for path in (workspace / FOLDER).glob("train-*.json"):
        name = path.stem.removeprefix("train-")
        record = read_record(workspace, path.stem)
        if record is not None and (workspace / "runs" / name / "model.safetensors").is_file():
            finished.append((record.finished_at, name))
    if not finished:
        raise MissingInputError(
            f"no trained model in {workspace}", f"run `spa train --workspace {workspace}` first"
        )
    return max(finished)[1]
