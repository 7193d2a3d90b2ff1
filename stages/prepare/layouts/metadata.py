"""A metadata CSV with one row a clip, as UrbanSound8K and ESC-50 have it.

Source formats:

- UrbanSound8K (J. Salamon, C. Jacoby, J. P. Bello, "A Dataset and Taxonomy for Urban Sound
  Research", ACM Multimedia 2014): `metadata/UrbanSound8K.csv` with the columns `slice_file_name,
  fsID, start, end, salience, fold, classID, class`, and `audio/foldN/slice_file_name`.
- ESC-50 (K. J. Piczak, "ESC: Dataset for Environmental Sound Classification", ACM Multimedia
  2015): `meta/esc50.csv` with the columns `filename, fold, target, category, esc10, src_file,
  take`, and `audio/filename`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from stages.prepare.csv_file import read_table
from stages.prepare.layouts.cells import stem_of
from stages.prepare.listing import ListedClip, Listing, Reason, Reject
from stages.prepare.source import SourceFolder

LOOKS_FOR = "metadata/UrbanSound8K.csv or meta/esc50.csv"


@dataclass(frozen=True)
class _Format:
    """Where a data set's list is, its columns, and where its audio is."""

    list_path: str
    file_column: str
    class_column: str
    recording_column: str
    audio_path: str
    class_map: str


_FORMATS = (
    _Format(
        list_path="metadata/UrbanSound8K.csv",
        file_column="slice_file_name",
        class_column="class",
        recording_column="fsID",
        audio_path="audio/fold{fold}/{file}",
        class_map="urbansound8k",
    ),
    _Format(
        list_path="meta/esc50.csv",
        file_column="filename",
        class_column="category",
        recording_column="src_file",
        audio_path="audio/{file}",
        class_map="esc50",
    ),
)


def _format(source: SourceFolder) -> _Format | None:
    return next((known for known in _FORMATS if source.has(known.list_path)), None)


def matches(source: SourceFolder) -> bool:
    """Whether one of the known lists is there."""
    return _format(source) is not None


def scan(source: SourceFolder) -> Listing:
    """List the rows of the metadata in their order.

    Raises:
        ArtifactError: the metadata cannot be read, or lacks a column; when it is read.
    """
    known = _format(source)
    assert known is not None  # noqa: S101 - a layout is scanned only where it matches
    lists = frozenset({known.list_path})
    return Listing(_clips(source, known), lists, class_map=known.class_map)


def _clips(source: SourceFolder, known: _Format) -> Iterator[ListedClip | Reject]:
    columns = (known.file_column, known.class_column, known.recording_column, "fold")
    for line, row in read_table(source.root / known.list_path, columns):
        where = f"{known.list_path}:{line}"
        if row is None:
            yield Reject(where, None, Reason.MALFORMED_ROW, "no text, or too few fields")
        else:
            yield _clip(source, known, where, row)


def _clip(
    source: SourceFolder, known: _Format, where: str, row: dict[str, str]
) -> ListedClip | Reject:
    file, fold, class_name = row[known.file_column], row["fold"], row[known.class_column].strip()
    clip_id = stem_of(file)
    if not clip_id or re.fullmatch("[0-9]{1,9}", fold) is None:
        return Reject(where, clip_id, Reason.MALFORMED_ROW, f"file {file!r}, fold {fold!r}")
    path = source.inside(known.audio_path.format(fold=int(fold), file=file))
    if isinstance(path, Reason):
        return Reject(where, clip_id, path, f"file {file!r} of fold {fold}")
    recording_id = row[known.recording_column] or clip_id
    labels = (class_name,) if class_name else ()
    return ListedClip(clip_id, path, where, labels, recording_id, fold=int(fold))
