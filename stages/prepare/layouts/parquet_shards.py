"""Parquet shards of the Hugging Face hub, read in place: one row a clip, with the audio in it.

Source format: https://huggingface.co/docs/hub/datasets-audio; the column `audio` is a struct of
`bytes`, an audio file, and `path`, its name. As AudioSet (agkphysics/AudioSet: `video_id, audio,
labels, human_labels` in `data/bal_train/`, `data/eval/` ...) and ESC-50 (ashraq/esc50: `filename,
fold, target, category, esc10, src_file, take, audio` in `data/train-00000-of-00002-*.parquet`) are
mirrored there. Of each of these the first that is there counts:

- labels: `labels`, `human_labels`, `label`, `category`, `class`; text, numbers, or lists of them.
  Numbers stand for the names that the file's metadata gives, if any.
- clip id: `clip_id`, `video_id`, `id`, `filename`, `file_name`, `slice_file_name` (of these names
  without extension); else the name of the embedded file where that is unique, else `FILE:ROW`.
- recording: `recording_id`, `src_file`, `fsID`, else the clip.
- `fold` and `split`. Where there is no column `split`, a word in the file's name or folder says it;
  a data set that has only train by that does not say, since the hub calls everything so.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from stages.errors import ArtifactError
from stages.models.audioset_labels import AUDIOSET_LABELS
from stages.prepare.label_list import read_label_list
from stages.prepare.layouts.cells import stem_of
from stages.prepare.layouts.shard_columns import EMBEDDED_NAME, LABEL_COLUMNS, Shard
from stages.prepare.listing import Label, ListedClip, Listing, Reason, Reject
from stages.prepare.parquet_table import ParquetTable
from stages.prepare.repeats import Repeats
from stages.prepare.source import SourceFolder

LOOKS_FOR = "*.parquet with a column audio of bytes and path"

_LABEL_LIST = "class_labels_indices.csv"


def matches(source: SourceFolder) -> bool:
    """Whether there is such a file."""
    return any(isinstance(_open(source.root, path), Shard) for path in _files(source))


def _files(source: SourceFolder) -> Iterator[str]:
    return (path for path in source.files() if path.lower().endswith(".parquet"))


def _open(root: Path, path: str) -> Shard | Reject:
    try:
        with ParquetTable(root / path) as table:
            shard = Shard.of(path, table)
            columns = sorted(table.columns)[:20]
    except ArtifactError as error:
        return Reject(path, None, Reason.UNREADABLE, _detail(root, path, error))
    what = f"no column audio of bytes and path, or none of {', '.join(LABEL_COLUMNS)}: {columns}"
    return shard or Reject(path, None, Reason.MALFORMED_ROW, what)


def _detail(root: Path, path: str, error: ArtifactError) -> str:
    """What is wrong with a file, in words that are the same wherever the source folder is."""
    return error.message.replace(str(root / path), path)


def scan(source: SourceFolder) -> Listing:
    """List the rows of every shard, in the order of the paths.

    The label list is AudioSet's where all labels are ids of it, or class_labels_indices.csv where
    the source folder has it and a label is an id of it. So the labels are read twice, and so are
    the names of embedded files where there are no ids.

    Raises:
        ArtifactError: the label list in the source folder is none.
    """
    files = list(_files(source))
    opened = [_open(source.root, path) for path in files]
    shards = [shard for shard in opened if isinstance(shard, Shard)]
    rejects = [reject for reject in opened if isinstance(reject, Reject)]
    if {shard.split for shard in shards} <= {None, "train"}:
        shards = [replace(shard, split=None) for shard in shards]
    has_list = source.has(_LABEL_LIST)
    return Listing(
        found=_found(source.root, rejects, shards),
        lists=frozenset([*files, *([_LABEL_LIST] if has_list else [])]),
        label_list=_label_list(source.root, shards, has_list=has_list),
        class_map=next((shard.class_map for shard in shards if shard.class_map is not None), None),
    )


def _label_list(root: Path, shards: Sequence[Shard], *, has_list: bool) -> tuple[Label, ...] | None:
    labels = read_label_list(root / _LABEL_LIST if has_list else AUDIOSET_LABELS)
    known = {label.mid for label in labels}
    used = _labels(root, shards)
    if has_list:
        fits = any(label in known for label in used)
    else:
        fits = next(used, None) in known and all(label in known for label in used)
    return labels if fits else None


def _labels(root: Path, shards: Iterable[Shard]) -> Iterator[str]:
    for shard in shards:
        for _, row in _rows(root, shard, [shard.label_column]):
            if isinstance(row, Mapping):
                try:
                    yield from shard.labels(row)
                except ValueError:  # the row is rejected later
                    continue


def _rows(
    root: Path, shard: Shard, columns: Sequence[str]
) -> Iterator[tuple[int, Mapping[str, object] | ArtifactError]]:
    """The rows of a shard and, where it is broken, after the last of them the error."""
    number = -1
    try:
        with ParquetTable(root / shard.path) as table:
            for number, row in table.rows(columns):
                yield number, row
    except ArtifactError as error:
        yield number + 1, error


def _found(
    root: Path, rejects: Iterable[Reject], shards: Sequence[Shard]
) -> Iterator[ListedClip | Reject]:
    yield from rejects
    repeats = Repeats(_embedded_names(root, shards))
    for shard in shards:
        for number, row in _rows(root, shard, shard.columns):
            if isinstance(row, ArtifactError):
                what = f"from row {number} on: {_detail(root, shard.path, row)}"
                yield Reject(shard.path, None, Reason.UNREADABLE, what)
                continue
            try:
                yield shard.clip(number, row, repeats)
            except ValueError as error:
                where = f"{shard.path}:{number}"
                yield Reject(where, None, Reason.MALFORMED_ROW, str(error))


def _embedded_names(root: Path, shards: Iterable[Shard]) -> Iterator[str]:
    for shard in shards:
        if shard.id_column is None:
            for _, row in _rows(root, shard, [EMBEDDED_NAME]):
                if isinstance(row, Mapping) and isinstance(row[EMBEDDED_NAME], str):
                    yield stem_of(str(row[EMBEDDED_NAME]))
