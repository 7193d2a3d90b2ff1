"""What became of the clips of each finished shard: one small Parquet file, the mark that it is done."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stages.atomic import replacing
from stages.prepare.shards import FailedClip, Result, ShardTask

_PARTS_AT_ONCE = 100

# A clip has either a reason and a detail, or all of the rest (a level may be null then: silence).
PART = pa.schema(
    [
        pa.field("clip_id", pa.string(), nullable=False),
        ("row", pa.int32()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("duration_seconds", pa.float64()),
        ("source_sha256", pa.string()),
        ("source_sample_rate", pa.int32()),
        ("peak_dbfs", pa.float64()),
        ("rms_dbfs", pa.float64()),
        ("dc_offset", pa.float64()),
        ("clipped_share", pa.float64()),
        ("audio_sha256", pa.string()),
        ("encoded_bytes", pa.int64()),
    ]
)


def write_part(folder: Path, task: ShardTask, results: Sequence[Result]) -> None:
    """Write the results of a shard's clips, in order, as `folder`/`task.name`: whole or not at all."""
    rows = [
        (clip.clip_id, *_values(result)) for clip, result in zip(task.clips, results, strict=True)
    ]
    columns = [
        pa.array(values, field.type)
        for values, field in zip(zip(*rows, strict=True), PART, strict=True)
    ]
    with replacing(folder / task.name) as path:
        pq.write_table(pa.Table.from_arrays(columns, schema=PART), path)


def parts_done(folder: Path) -> set[str]:
    """Names of the shards whose part is there and can be read."""
    return {path.name for path in folder.glob("*.parquet") if _is_part(path)}


def read_parts(folder: Path) -> Iterator[pa.Table]:
    """Yield all parts in the order of their names, some at once, with a last column `shard`."""
    waiting: list[pa.Table] = []
    for path in sorted(folder.glob("*.parquet")):
        part = pq.read_table(path)
        waiting.append(part.append_column("shard", pa.repeat(path.name, len(part))))
        if len(waiting) == _PARTS_AT_ONCE:
            yield pa.concat_tables(waiting)
            waiting.clear()
    if waiting:
        yield pa.concat_tables(waiting)


def _is_part(path: Path) -> bool:
    try:
        with pq.ParquetFile(path) as file:
            return bool(file.read().schema.equals(PART))
    except (pa.ArrowException, OSError):
        return False


def _values(result: Result) -> tuple[object, ...]:
    """A row of PART, but for the clip's id."""
    if isinstance(result, FailedClip):
        return (None, result.code, result.detail, *[None] * (len(PART) - 4))
    return (
        result.row,
        None,
        None,
        result.duration_seconds,
        result.source_sha256,
        result.source_sample_rate,
        *result.levels,
        result.audio_sha256,
        result.encoded_bytes,
    )
