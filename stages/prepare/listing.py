"""What a layout finds in a source folder: clips, and everything that gives none, with the reason."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

Split = Literal["train", "valid", "eval"]


class Reason(StrEnum):
    """Why something in the source folder gave no clip: the closed set of rejects.parquet."""

    MISSING = "missing"
    """A list names a file that is not there, or a link leads nowhere."""
    UNREADABLE = "unreadable"
    """It cannot be opened, libsndfile cannot decode it, or a sample is NaN or infinite."""
    EMPTY = "empty"
    """It holds no samples."""
    TOO_LONG = "too_long"
    """It is longer than --max-clip-seconds."""
    UNKNOWN_LABEL = "unknown_label"
    """One of the clip's labels is not in the data set's label list."""
    NO_LABEL = "no_label"
    """Nothing says what the clip is."""
    DUPLICATE_ID = "duplicate_id"
    """The clip's id, or its file, was taken before."""
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


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that a layout found and that is still to be decoded.

    `path` is relative to the source folder, with forward slashes. `labels` are written as the data
    set writes them: ids, or class names. `split` is None where the data set does not name one.
    """

    clip_id: str
    path: str
    labels: tuple[str, ...]
    recording_id: str
    fold: int | None = None
    split: Split | None = None


class Label(NamedTuple):
    """A label of a published label list."""

    mid: str
    display_name: str


@dataclass(frozen=True)
class Listing:
    """All that a layout found.

    With a `label_list`, in its published order, the clips' labels are ids of that list. Without one
    they are class names, which the project's class map `class_map`, if any, takes to ontology ids.
    """

    clips: list[Clip]
    rejects: list[Reject]
    label_list: tuple[Label, ...] | None = None
    class_map: str | None = None
