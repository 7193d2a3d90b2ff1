"""Check clips.parquet and rejects.parquet, and read every table through."""

from pathlib import Path

import duckdb
import pyarrow as pa

from stages.artifacts import open_parquet, verify_schema
from stages.check.findings import Findings, in_a_line
from stages.check.queries import rows
from stages.errors import ArtifactError
from stages.schemas import FIXED

SPLITS = ("train", "valid", "eval")
REJECT_REASONS = (
    "bad_name",
    "decoder_died",
    "duplicate_content",
    "duplicate_id",
    "empty",
    "escapes_folder",
    "hidden",
    "linked_folder",
    "malformed_row",
    "missing",
    "no_label",
    "not_audio",
    "not_listed",
    "too_long",
    "too_short",
    "truncated",
    "unknown_label",
    "unreadable",
)


def count_rows(path: Path, kind: str, findings: Findings) -> int | None:
    """Read the table `kind` from start to end, in batches; None when that cannot be done."""
    if not path.is_file():
        findings.add(path.name, "does not exist")
        return None
    try:
        return _read_through(path, kind)
    except (ArtifactError, pa.ArrowException, OSError) as error:
        findings.add(path.name, in_a_line(error, path))
        return None


def _read_through(path: Path, kind: str) -> int:
    needed = [field.name for field in FIXED[kind] if not field.nullable]
    count = 0
    with open_parquet(path) as file:
        verify_schema(path, file.schema_arrow, kind)
        for group in range(file.num_row_groups):  # read at once, what was read would stay in memory
            for batch in file.iter_batches(row_groups=[group], use_threads=False):
                for name in needed:
                    if batch.column(name).null_count:
                        raise ArtifactError(f"{path} lacks values in the column '{name}'")
                count += batch.num_rows
    return count


def check_clips(connection: duckdb.DuckDBPyConnection, clips: Path, findings: Findings) -> None:
    """Check that clip ids are unique and that every split is one."""
    for clip_id, count in rows(connection, "repeated_clip_ids.sql", clips):
        findings.add("clips.parquet", f"the clip id {clip_id!r} occurs {count} times")
    for split, count in rows(connection, "splits.sql", clips):
        if split not in SPLITS:
            known = ", ".join(SPLITS)
            findings.add("clips.parquet", f"{count} clips are in the split {split!r}, not {known}")


def check_rejects(connection: duckdb.DuckDBPyConnection, rejects: Path, findings: Findings) -> None:
    """Check that every reason is one of the closed set."""
    unknown = rows(connection, "unknown_reasons.sql", rejects, known=list(REJECT_REASONS))
    for reason, count, example in unknown:
        findings.add(
            "rejects.parquet", f"unknown reason {reason!r} in {count} rows, such as {example!r}"
        )
