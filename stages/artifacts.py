"""Read, write and verify one Parquet artifact."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stages.atomic import replacing
from stages.errors import ArtifactError
from stages.lineage import Lineage, spa_version
from stages.schemas import FIXED

ARTIFACT_KEY, VERSION_KEY, LINEAGE_KEY = b"spa.artifact", b"spa.version", b"spa.lineage"


def file_metadata(
    kind: str, lineage: Lineage, extra: Mapping[str, str] | None = None
) -> dict[bytes, bytes]:
    """The file-level metadata of an artifact of `kind`."""
    found = {
        ARTIFACT_KEY: kind.encode(),
        VERSION_KEY: spa_version().encode(),
        LINEAGE_KEY: lineage.to_json().encode(),
    }
    found.update({f"spa.{key}".encode(): value.encode() for key, value in (extra or {}).items()})
    return found


def write_parquet(  # noqa: PLR0913 - one call says all that an artifact is
    path: Path,
    kind: str,
    columns: Mapping[str, object],
    lineage: Lineage,
    schema: pa.Schema | None = None,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Write `columns` as the artifact `kind` with its schema, documentation and lineage.

    `schema` is needed only for kinds whose schema has a size of its own (label embeddings).

    Raises:
        pyarrow.ArrowInvalid: a column does not fit the schema: a bug of the caller.
    """
    schema = schema or FIXED[kind]
    table = pa.Table.from_pydict(dict(columns), schema=schema)
    table = table.replace_schema_metadata(file_metadata(kind, lineage, extra))
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file, or say which file is none."""
    try:
        # With a buffer ahead, a streaming reader would keep all that it has read.
        file = pq.ParquetFile(path, pre_buffer=False)
        _ = file.schema_arrow.names  # which may be no UTF-8
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        message = f"{path} cannot be read as Parquet: {first_line}"
        raise ArtifactError(message, "make it again; what a stage wrote, with --force") from error
    return file


def read_parquet(path: Path, kind: str) -> pa.Table:
    """Read the artifact `kind` whole, having checked that it is one.

    Raises:
        ArtifactError: not a Parquet file, another artifact, or a column missing or of another type.
    """
    with open_parquet(path) as file:
        verify_schema(path, file.schema_arrow, kind)
        table: pa.Table = file.read()
    return table


def verify_schema(path: Path, found: pa.Schema, kind: str) -> None:
    """Check that the file at `path` says it is `kind` and has that artifact's columns, in order.

    Raises:
        ArtifactError: naming the first difference.
    """
    stated = (found.metadata or {}).get(ARTIFACT_KEY, b"").decode(errors="replace")
    if stated != kind:
        what = f"a '{stated}' artifact" if stated else "no artifact of this toolkit"
        raise ArtifactError(f"{path} is {what}; '{kind}' is needed", _again(kind))
    expected = FIXED.get(kind)
    if expected is None:
        return
    for field in expected:
        if field.name not in found.names:
            raise ArtifactError(f"{path} has no column '{field.name}'", _again(kind))
        if found.field(field.name).type != field.type:
            kinds = f"{found.field(field.name).type}, not {field.type}"
            raise ArtifactError(f"{path}: column '{field.name}' is {kinds}", _again(kind))


def _again(kind: str) -> str:
    return f"make {kind} again with this version (`--force`), or point --workspace elsewhere"
