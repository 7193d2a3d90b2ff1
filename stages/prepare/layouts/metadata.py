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
from pathlib import PurePosixPath

from stages.prepare.csv_file import read_table
from stages.prepare.listing import Clip, Listing, Reason, Reject
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
    return next((known for known in _FORMATS if known.list_path in source.files), None)


def matches(source: SourceFolder) -> bool:
    """Whether one of the known lists is there."""
    return _format(source) is not None


def scan(source: SourceFolder) -> Listing:
    """List the rows of the metadata in their order.

    Raises:
        ArtifactError: the metadata cannot be read, or lacks a column.
    """
    known = _format(source)
    assert known is not None  # noqa: S101 - a layout is scanned only where it matches
    clips: dict[str, Clip] = {}
    rejects: list[Reject] = []
    for where, row in _rows(source, known):
        found = _clip(source, known, where, row)
        if isinstance(found, Clip) and found.clip_id in clips:
            taken = clips[found.clip_id].path
            here = where if found.path == taken else found.path
            what = f"{taken} has the same id"
            rejects.append(Reject(here, found.clip_id, Reason.DUPLICATE_ID, what))
        elif isinstance(found, Clip):
            clips[found.clip_id] = found
        else:
            rejects.append(found)
    used = {known.list_path, *(clip.path for clip in clips.values())}
    used.update(reject.source_path for reject in rejects)
    why = f"{known.list_path} does not name it"
    rejects.extend(source.rejects_of_rest(used, Reason.NOT_LISTED, why))
    return Listing(list(clips.values()), rejects, class_map=known.class_map)


def _rows(source: SourceFolder, known: _Format) -> Iterator[tuple[str, dict[str, str] | None]]:
    columns = (known.file_column, known.class_column, known.recording_column, "fold")
    for line, row in read_table(source.root / known.list_path, columns):
        yield f"{known.list_path}:{line}", row


def _clip(
    source: SourceFolder, known: _Format, where: str, row: dict[str, str] | None
) -> Clip | Reject:
    if row is None:
        return Reject(where, None, Reason.MALFORMED_ROW, "too few fields")
    file, fold, class_name = row[known.file_column], row["fold"], row[known.class_column]
    clip_id = PurePosixPath(file).stem
    if not clip_id or re.fullmatch("[0-9]{1,9}", fold) is None:
        return Reject(where, clip_id, Reason.MALFORMED_ROW, f"file {file!r}, fold {fold!r}")
    path = source.locate(known.audio_path.format(fold=int(fold), file=file))
    if isinstance(path, Reason):
        return Reject(where, clip_id, path, f"file {file!r} of fold {fold}")
    if not class_name.strip():
        return Reject(path, clip_id, Reason.NO_LABEL, f"{where} gives it no class")
    recording_id = row[known.recording_column] or clip_id
    return Clip(clip_id, path, (class_name,), recording_id, fold=int(fold))
