"""What a layout finds in a source folder: clips, and everything that gives none, with the reason."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

Split = Literal["train", "valid", "eval"]


class Reason(StrEnum):
    """Why something in the source folder gave no clip: the closed set of rejects.parquet."""

    MISSING = "missing"
    """A list names a file that is not there, or a link leads nowhere."""
    UNREADABLE = "unreadable"
    """It cannot be opened, no decoder can read it, or a sample is NaN or infinite."""
    DECODER_DIED = "decoder_died"
    """The process that decoded it died, or ran out of memory, twice."""
    EMPTY = "empty"
    """It holds no samples."""
    TRUNCATED = "truncated"
    """It ends before the length that its own header states."""
    TOO_SHORT = "too_short"
    """It is shorter than --min-clip-seconds, or ends before the segment begins."""
    TOO_LONG = "too_long"
    """It is longer than --max-clip-seconds."""
    UNKNOWN_LABEL = "unknown_label"
    """One of the clip's labels is in no label list, class map or ontology."""
    NO_LABEL = "no_label"
    """Nothing says what the clip is, or none of its labels is kept."""
    DUPLICATE_ID = "duplicate_id"
    """The clip's id, or its file, was taken before."""
    DUPLICATE_CONTENT = "duplicate_content"
    """The same bytes, and the same part of them, were taken before under another name."""
    MALFORMED_ROW = "malformed_row"
    """A line of a list lacks a column, or has a value of the wrong kind."""
    ESCAPES_FOLDER = "escapes_folder"
    """A path or a link leads out of the source folder."""
    LINKED_FOLDER = "linked_folder"
    """A link to a folder is not followed: inside the source folder, its files are found anyway."""
    HIDDEN = "hidden"
    """The name of the file, or of the folder with all in it, begins with a dot."""
    BAD_NAME = "bad_name"
    """The file's name is no valid Unicode, so no table can hold it."""
    NOT_LISTED = "not_listed"
    """The data set has a list, and the file is not on it."""
    NOT_AUDIO = "not_audio"
    """By its extension the file is text, an image or the like; it was not opened."""


class Reject(NamedTuple):
    """A row of rejects.parquet. `source_path` is a file, or a list and the line in it."""

    source_path: str
    clip_id: str | None
    reason: Reason
    detail: str


class ListedClip(NamedTuple):
    """A clip that a layout names and that is still to be found on disk and decoded.

    `path` is relative to the source folder, with forward slashes; None: found by its name, see
    `Listing.names_of`. `where` is what a reject names when the list is at fault and not the file:
    `LIST:LINE`, or the path. `labels` are written as the data set writes them: ids, or class names.
    `split` is None where the data set does not name one. `start_seconds` and `end_seconds` say
    which part of the file is the clip. `row` is the row, from 0, of the Parquet file `path` whose
    column `audio` holds the clip's bytes.
    """

    clip_id: str
    path: str | None
    where: str
    labels: tuple[str, ...]
    recording_id: str
    fold: int | None = None
    split: Split | None = None
    start_seconds: float | None = None
    end_seconds: float | None = None
    row: int | None = None


class FileName(NamedTuple):
    """One way to read a file's name: the recording, and the part of it if the name says one.

    A number in a file's name may be seconds or milliseconds. Of several files for one clip that
    of the lowest `rank` is taken, then the first in the order of the paths.
    """

    recording_id: str
    start: float | None
    end: float | None
    rank: int


class Label(NamedTuple):
    """A label of a published label list."""

    mid: str
    display_name: str


@dataclass(frozen=True)
class Listing:
    """All that a layout names. `found` is read once, from start to end: it may be longer than memory.

    `lists` are the files that are no clip and no reject, since the layout reads them. With a
    `label_list`, in its published order, the clips' labels are ids of that list. Without one they
    are class names or ids, which the project's class map `class_map`, if any, takes to ontology
    ids. `names_of` reads the stem of a file's name, where clips are found by name. `cut_if_longer`: a
    file that is no longer than the clip's segment is the clip already; only a longer one is cut.
    """

    found: Iterable[ListedClip | Reject]
    lists: frozenset[str]
    label_list: tuple[Label, ...] | None = None
    class_map: str | None = None
    names_of: Callable[[str], Iterator[FileName]] | None = None
    cut_if_longer: bool = False
