"""Write clips.parquet, labels.parquet and rejects.parquet from the catalogue."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ontology.ancestry import parents
from ontology.nodes import nodes
from ontology.paths import depths, paths
from stages.artifacts import file_metadata, write_parquet
from stages.atomic import replacing
from stages.lineage import Lineage
from stages.prepare.catalogue import Catalogue
from stages.prepare.listing import Label
from stages.prepare.parts import read_parts
from stages.prepare.shards import drop_rows
from stages.schemas import FIXED

_ROWS_A_GROUP = 65_536


def read_results(catalogue: Catalogue, parts: Path, audio: Path) -> None:
    """Fill the table `taken` from the parts of all shards, and reject the clips that failed.

    Clips whose content was taken before are rejected too, and taken out of their shards.
    """
    for rows in read_parts(parts):
        catalogue.add_table("parts", rows)
    catalogue.do("read_results.sql")
    catalogue.do("reject_failed.sql")
    for shard, clip_ids in catalogue.stream("copies.sql"):
        drop_rows(audio / shard, set(clip_ids))
    catalogue.do("take.sql")


def choose_labels(
    catalogue: Catalogue,
    label_list: Sequence[Label] | None,
    ontology: duckdb.DuckDBPyConnection,
) -> tuple[Label, ...]:
    """Label order: a list as it is, or the labels in use in the ontology's order."""
    labels = label_list
    if labels is None:
        used = {mid for (mid,) in catalogue.rows("used_mids.sql")}
        labels = [Label(node.mid, node.name) for node in nodes(ontology) if node.mid in used]
    catalogue.add("label_order", ((index, label.mid) for index, label in enumerate(labels)))
    return tuple(labels)


def write_tables(
    catalogue: Catalogue,
    labels: Sequence[Label],
    ontology: duckdb.DuckDBPyConnection,
    folder: Path,
    lineage: Lineage,
) -> None:
    """Write the three tables into `folder`.

    Raises:
        OntologyError: the ontology lacks a label.
    """
    _write_stream(folder, "clips", catalogue.batches("clips_table.sql"), lineage)
    _write_stream(folder, "rejects", catalogue.batches("rejects_table.sql"), lineage)
    columns = _labels_columns(labels, catalogue, ontology)
    write_parquet(folder / "labels.parquet", "labels", columns, lineage)


def _write_stream(
    folder: Path, kind: str, batches: Iterable[pa.RecordBatch], lineage: Lineage
) -> None:
    schema = FIXED[kind].with_metadata(file_metadata(kind, lineage))
    with (
        replacing(folder / f"{kind}.parquet") as path,
        pq.ParquetWriter(path, schema, compression="zstd") as writer,
    ):
        for table in _groups(batches, schema):
            writer.write_table(table, row_group_size=_ROWS_A_GROUP)


def _groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Put batches together to tables of one size: how a result is parted is left to chance."""
    waiting = schema.empty_table()
    for batch in batches:
        columns = [
            column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)
        ]
        waiting = pa.concat_tables([waiting, pa.Table.from_arrays(columns, schema=schema)])
        while waiting.num_rows >= _ROWS_A_GROUP:
            yield waiting.slice(0, _ROWS_A_GROUP)
            waiting = waiting.slice(_ROWS_A_GROUP)
    if waiting.num_rows:
        yield waiting


def _labels_columns(
    labels: Sequence[Label], catalogue: Catalogue, ontology: duckdb.DuckDBPyConnection
) -> dict[str, list[object]]:
    """Columns of labels.parquet: the names that the labels have, the rest from the ontology."""
    mids = [label.mid for label in labels]
    description = {node.mid: node.description for node in nodes(ontology)}
    depth = depths(ontology)
    counts = {mid: its for mid, *its in catalogue.rows("clips_per_label.sql")}
    train, valid, held_out = zip(*(counts.get(mid, (0, 0, 0)) for mid in mids), strict=True)
    return {
        "label_index": list(range(len(labels))),
        "mid": list(mids),
        "display_name": [label.display_name for label in labels],
        "description": [description[mid] for mid in mids],
        "path": list(paths(ontology, mids)),
        "parents": list(parents(ontology, mids)),
        "depth": [depth[mid] for mid in mids],
        "clips_train": list(train),
        "clips_valid": list(valid),
        "clips_eval": list(held_out),
    }
