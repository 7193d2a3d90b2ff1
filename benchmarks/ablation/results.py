"""The finished trainings: a Parquet file with a row each."""

from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stages.artifacts import open_parquet, verify_schema
from stages.atomic import replacing

KIND = "ablation"


@dataclass(frozen=True)
class Row:
    """One finished training and how it did; `SCHEMA` says what each field is."""

    key: str
    set: str
    fold: int
    contender: str
    seed: int
    epochs: int
    settings: str
    versions: str
    device: str
    train_clips: int
    eval_clips: int
    mAP: float  # noqa: N815 - the field's own spelling
    OmAP: float
    OmAP_by_coarse_level: tuple[float, ...]
    seconds: float


def _field(name: str, kind: pa.DataType, doc: str) -> pa.Field:
    return pa.field(name, kind, nullable=False, metadata={"doc": doc})


SCHEMA = pa.schema(
    [
        _field(
            "key", pa.string(), "hash of data, texts, settings and seed: names the scores' file"
        ),
        _field("set", pa.string(), "set of clips: a, b1, b2, c or d"),
        _field("fold", pa.int32(), "fold held out; 0 where the set has no folds"),
        _field("contender", pa.string(), "way to train, as it was called then"),
        _field("seed", pa.int32(), "seed of the training"),
        _field("epochs", pa.int32(), "passes over the training clips"),
        _field("settings", pa.string(), "JSON: the train settings but the seed, and the prompt"),
        _field("versions", pa.string(), "JSON: versions of Python and packages"),
        _field("device", pa.string(), "what it was computed on"),
        _field("train_clips", pa.int32(), "clips trained on"),
        _field("eval_clips", pa.int32(), "clips judged by"),
        _field("mAP", pa.float64(), "mean average precision, 0 to 1"),
        _field("OmAP", pa.float64(), "ontology-aware mean average precision, 0 to 1"),
        _field(
            "OmAP_by_coarse_level",
            pa.list_(pa.field("element", pa.float64(), nullable=False)),
            "OmAP at each coarse level, from 0",
        ),
        _field("seconds", pa.float64(), "wall time in the call that finished it"),
    ],
    metadata={"spa.artifact": KIND},
)


def read_results(path: Path) -> list[Row]:
    """The rows of a file; none where there is no file.

    Raises:
        ArtifactError: it is no Parquet, or no file of this kind.
    """
    if not path.exists():
        return []
    with open_parquet(path) as file:
        verify_schema(path, file.schema_arrow, KIND)
        found = file.read().to_pylist()
    return [
        Row(**{**row, "OmAP_by_coarse_level": tuple(row["OmAP_by_coarse_level"])}) for row in found
    ]


def write_results(path: Path, rows: list[Row]) -> None:
    """Write all rows; a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist([asdict(row) for row in rows], schema=SCHEMA)
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
