"""AudioSet: Google's segment lists, and audio files named by YouTube id.

Source format: https://research.google.com/audioset/download.html (J. F. Gemmeke et al., "Audio Set:
An ontology and human-labeled dataset for audio events", ICASSP 2017). `*_segments.csv` has comment
lines that begin with `#`, then `YTID, start_seconds, end_seconds, "mid,mid"`. The label list is
`class_labels_indices.csv` (index,mid,display_name); where the source folder has none, the
canonical list of 527 labels is used.

Audio files lie anywhere in the source folder, with any extension. Downloaders call them `ID`,
`ID_START` or `ID_START_END`, with or without a `Y` before, START and END in seconds or in
milliseconds. A file that is longer than its segment is the whole video: the segment is cut from it.
"""

import math
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from stages.models.audioset_labels import AUDIOSET_LABELS
from stages.prepare.csv_file import read_lines
from stages.prepare.label_list import read_label_list
from stages.prepare.layouts.cells import MOST_SECONDS, SPLIT_WORDS
from stages.prepare.listing import FileName, ListedClip, Listing, Reason, Reject, Split
from stages.prepare.source import SourceFolder

LOOKS_FOR = "*_segments.csv"

_LABEL_LIST = "class_labels_indices.csv"
_SPLIT_ORDER: tuple[Split, ...] = ("eval", "valid", "train")
_PART = re.compile(r"(.+?)_([0-9]{1,9}(?:\.[0-9]{1,6})?)(?:_([0-9]{1,9}(?:\.[0-9]{1,6})?))?")


def matches(source: SourceFolder) -> bool:
    """Whether there is a segment list."""
    return any(True for _ in _lists(source))


def _lists(source: SourceFolder) -> Iterator[str]:
    return (path for path in source.files() if path.endswith("_segments.csv"))


def split_of(list_path: str) -> Split:
    """Tell a list's split by a word of its name: eval or test, valid or dev; else it is train."""
    words = re.split("[^a-z]+", PurePosixPath(list_path).name.lower())
    named = (SPLIT_WORDS.get(word, "train") for word in words)
    return next((split for split in named if split != "train"), "train")


def scan(source: SourceFolder) -> Listing:
    """List the segments: of eval lists first, then valid, then train, each in its own order.

    So a segment that is in two lists is held out, and its later row is rejected.

    Raises:
        ArtifactError: a list cannot be read, or the label list is none.
    """
    in_folder = source.has(_LABEL_LIST)
    labels = read_label_list(source.root / _LABEL_LIST if in_folder else AUDIOSET_LABELS)
    lists = sorted(_lists(source), key=lambda path: (_SPLIT_ORDER.index(split_of(path)), path))
    return Listing(
        found=_segments(source, lists),
        lists=frozenset([*lists, _LABEL_LIST]),
        label_list=labels,
        names_of=names_of,
        cut_if_longer=True,
    )


def _segments(source: SourceFolder, lists: list[str]) -> Iterator[ListedClip | Reject]:
    for path in lists:
        split = split_of(path)
        for line, fields in read_lines(source.root / path, comment="#"):
            yield _segment(f"{path}:{line}", fields, split)


def _segment(where: str, fields: list[str], split: Split) -> ListedClip | Reject:
    if len(fields) != 4 or not fields[0]:
        return Reject(where, None, Reason.MALFORMED_ROW, f"{len(fields)} fields, not 4")
    youtube_id, start_text, end_text, mids = fields
    try:
        start, end = float(start_text), float(end_text)
    except ValueError:
        start = end = math.nan
    if not 0 <= start < end <= MOST_SECONDS:
        what = f"no segment: from {start_text!r} to {end_text!r}"
        return Reject(where, youtube_id, Reason.MALFORMED_ROW, what)
    labels = tuple(mid.strip() for mid in mids.split(",") if mid.strip())
    if not labels:
        return Reject(where, youtube_id, Reason.NO_LABEL, "the row has no labels")
    return ListedClip(
        youtube_id,
        None,
        where,
        labels,
        recording_id=youtube_id,
        split=split,
        start_seconds=start,
        end_seconds=end,
    )


def names_of(stem: str) -> Iterator[FileName]:
    """Read a file's name in every way: an id may hold `_`, digits, or begin with a `Y` itself."""
    for rank, name in enumerate((stem, stem[1:]) if stem.startswith("Y") else (stem,)):
        if name:
            yield FileName(name, None, None, 6 + rank)
        parted = _PART.fullmatch(name)
        if parted is not None:
            youtube_id, start, end = parted.groups()
            yield FileName(
                youtube_id,
                float(start),
                None if end is None else float(end),
                (2 if end is None else 0) + rank,
            )
            if end is not None:  # the id ends in a number of its own
                yield FileName(f"{youtube_id}_{start}", float(end), None, 4 + rank)
