"""The clips to evaluate on, where a file lists them."""

from pathlib import Path

from stages.errors import ArtifactError
from stages.evaluate.scores_file.csv_rows import read_lines, read_rows
from stages.evaluate.scores_file.npz import read_npz_clip_ids
from stages.evaluate.scores_file.parquet import read_parquet_clip_ids
from stages.evaluate.scores_file.wording import check_readable, listed

_READERS = {
    ".parquet": read_parquet_clip_ids,
    ".pq": read_parquet_clip_ids,
    ".npz": read_npz_clip_ids,
}
_HEADERS = ("clip_id", "YTID", "ytid")  # the first is this toolkit's, the others AudioSet's
_FORMS = (
    "give a text with one id a line; a CSV with a column clip_id, with one column alone, or as AudioSet"
    " publishes its segments (YTID, start, end, mids); or Parquet or npz with clip_id"
)


def read_clip_list(path: Path) -> tuple[str, ...]:
    """Read clip ids, each once, in the order in which the file first names them.

    Parquet and npz have a column `clip_id`; so has CSV or TSV (by suffix), or one column alone, with
    or without that header, or AudioSet's segments: id, start, end and mids without a header. Any other
    file is a text with one id a line. Lines of CSV, TSV and text that begin with # are comments, but
    for those below a header of CSV or TSV. For `clip_id`, a header may say `YTID` or `ytid`.

    Raises:
        ArtifactError: the file cannot be read, has no such column, a row without an id, or no id.
    """
    check_readable(path)
    suffix = path.suffix.lower()
    if suffix in _READERS:
        clip_ids = _READERS[suffix](path)
    elif suffix in {".csv", ".tsv"}:
        clip_ids = _csv_clip_ids(path)
    else:
        clip_ids = list(read_lines(path))
        if clip_ids[:1] and clip_ids[0] in _HEADERS:
            del clip_ids[0]
    if "" in clip_ids:
        raise ArtifactError(
            f"{path}: row {clip_ids.index('')} has no clip_id", "give every row a clip_id"
        )
    if not clip_ids:
        raise ArtifactError(f"{path} lists no clips", _FORMS)
    return tuple(dict.fromkeys(clip_ids))


def _csv_clip_ids(path: Path) -> list[str]:
    rows = read_rows(path, comments_above=_HEADERS)
    _, first = next(rows, (0, ["clip_id"]))
    first = [cell.strip() for cell in first]
    name = next((name for name in _HEADERS if first.count(name) == 1), None)
    if name is not None:
        place = first.index(name)
        return [cells[place].strip() for _, cells in rows]
    if len(first) == 1 or _is_segment(first):
        return [first[0], *(cells[0].strip() for _, cells in rows)]
    raise ArtifactError(f"{path} has the columns {listed(first)}, not one 'clip_id'", _FORMS)


def _is_segment(cells: list[str]) -> bool:
    """Whether it is a row of AudioSet's segments: id, start and end in seconds, mids."""
    try:
        return len(cells) == 4 and 0 <= float(cells[1]) < float(cells[2])
    except ValueError:
        return False
