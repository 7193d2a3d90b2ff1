"""The clips to evaluate on, where a file lists them."""

from pathlib import Path

from stages.errors import ArtifactError
from stages.evaluate.scores_file.csv_rows import read_lines, read_rows
from stages.evaluate.scores_file.npz import read_npz_clip_ids
from stages.evaluate.scores_file.parquet import read_parquet_clip_ids

_READERS = {
    ".parquet": read_parquet_clip_ids,
    ".pq": read_parquet_clip_ids,
    ".npz": read_npz_clip_ids,
}


def read_clip_list(path: Path) -> tuple[str, ...]:
    """Read clip ids, each once, in the order in which the file first names them.

    Parquet and npz have a column `clip_id`; so has CSV or TSV (by suffix), or one column alone, with
    or without that header. Any other file is a text with one id a line.

    Raises:
        ArtifactError: the file cannot be read, has no such column, a row without an id, or no id.
    """
    suffix = path.suffix.lower()
    if suffix in _READERS:
        clip_ids = _READERS[suffix](path)
    elif suffix in {".csv", ".tsv"}:
        clip_ids = _csv_clip_ids(path)
    else:
        clip_ids = [line for line in read_lines(path) if line]
    if "" in clip_ids:
        raise ArtifactError(
            f"{path}: row {clip_ids.index('')} has no clip_id", "give every row a clip_id"
        )
    if not clip_ids:
        raise ArtifactError(f"{path} lists no clips", "list clips by their clip_id")
    return tuple(dict.fromkeys(clip_ids))


def _csv_clip_ids(path: Path) -> list[str]:
    rows = read_rows(path)
    _, header = next(rows, (0, ["clip_id"]))
    header = [name.strip() for name in header]
    if len(header) == 1 and header != ["clip_id"]:
        return [*header, *(cells[0].strip() for _, cells in rows)]
    if header.count("clip_id") != 1:
        raise ArtifactError(
            f"{path} has the columns {header[:20]}, not one 'clip_id'",
            "head the column of the clips' ids clip_id, or list nothing else",
        )
    place = header.index("clip_id")
    return [cells[place].strip() for _, cells in rows]
