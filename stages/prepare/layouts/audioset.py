"""AudioSet: Google's segment lists, and audio files named by YouTube id.

Source format: https://research.google.com/audioset/download.html (J. F. Gemmeke et al., "Audio Set:
An ontology and human-labeled dataset for audio events", ICASSP 2017). `*_segments.csv` has comment
lines that begin with `#`, then `YTID, start_seconds, end_seconds, "mid,mid"`. The label list is
`class_labels_indices.csv` (index,mid,display_name); where the source folder has none, the
canonical list of 527 labels is used.

Audio files lie anywhere in the source folder and are called `ID.*` or `YID.*`; each is one segment.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from stages.prepare.csv_file import read_lines
from stages.prepare.label_list import AUDIOSET, read_label_list
from stages.prepare.listing import Clip, Listing, Reason, Reject, Split
from stages.prepare.source import SourceFolder, not_audio

LOOKS_FOR = "*_segments.csv"

_LABEL_LIST = "class_labels_indices.csv"
_SPLIT_WORDS: dict[str, Split] = {
    **dict.fromkeys(("eval", "evaluation", "test"), "eval"),
    **dict.fromkeys(("valid", "validation", "val", "dev"), "valid"),
}
_SPLIT_ORDER: tuple[Split, ...] = ("eval", "valid", "train")


def matches(source: SourceFolder) -> bool:
    """Whether there is a segment list."""
    return bool(_lists(source))


def _lists(source: SourceFolder) -> list[str]:
    return [path for path in source.files if path.endswith("_segments.csv")]


def split_of(list_path: str) -> Split:
    """Tell a list's split by a word of its name: eval or test, valid or dev; else it is train."""
    words = re.split("[^a-z]+", PurePosixPath(list_path).name.lower())
    return next((_SPLIT_WORDS[word] for word in words if word in _SPLIT_WORDS), "train")


def scan(source: SourceFolder) -> Listing:
    """List the segments: of eval lists first, then valid, then train, each in its own order.

    So a segment that is in two lists is held out, and its later row is rejected.

    Raises:
        ArtifactError: a list cannot be read, or the label list is none.
    """
    in_folder = _LABEL_LIST in source.files
    labels = read_label_list(source.root / _LABEL_LIST if in_folder else AUDIOSET)
    lists = sorted(_lists(source), key=lambda path: (_SPLIT_ORDER.index(split_of(path)), path))
    files, rejects = _files_by_stem(source)
    segments = _Segments(files, frozenset(label.mid for label in labels))
    clips: list[Clip] = []
    for path in lists:
        for found in segments.read(source, path):
            if isinstance(found, Clip):
                clips.append(found)
            else:
                rejects.append(found)
    used = {*lists, _LABEL_LIST, *segments.named, *(reject.source_path for reject in rejects)}
    rejects.extend(source.rejects_of_rest(used, Reason.NOT_LISTED, "no segment list names it"))
    return Listing(clips, rejects, label_list=labels)


def _files_by_stem(source: SourceFolder) -> tuple[dict[str, str], list[Reject]]:
    """The files that may be audio; of several with one name the first counts."""
    files: dict[str, str] = {}
    rejects = []
    for path in source.files:
        stem = PurePosixPath(path).stem
        if not_audio(path) is not None:
            continue
        if files.setdefault(stem, path) != path:
            what = f"{files[stem]} has the same name"
            rejects.append(Reject(path, stem, Reason.DUPLICATE_ID, what))
    return files, rejects


class _Segments:
    """Reads segment lists one after the other, and remembers what they named."""

    def __init__(self, files: dict[str, str], mids: frozenset[str]) -> None:
        self._files, self._mids = files, mids
        self._ids: set[str] = set()
        self.named: set[str] = set()

    def read(self, source: SourceFolder, list_path: str) -> Iterator[Clip | Reject]:
        split = split_of(list_path)
        for line, fields in read_lines(source.root / list_path, comment="#"):
            where = f"{list_path}:{line}"
            if len(fields) != 4 or not fields[0]:
                yield Reject(where, None, Reason.MALFORMED_ROW, f"{len(fields)} fields, not 4")
            else:
                yield self._clip(where, fields, split)

    def _clip(self, where: str, fields: list[str], split: Split) -> Clip | Reject:
        youtube_id = fields[0]
        path = self._files.get(youtube_id) or self._files.get(f"Y{youtube_id}")
        if path is not None:
            self.named.add(path)
        if youtube_id in self._ids:
            return Reject(where, youtube_id, Reason.DUPLICATE_ID, "a row before it has the same id")
        self._ids.add(youtube_id)
        mids = tuple(mid.strip() for mid in fields[3].split(",") if mid.strip())
        unknown = [mid for mid in mids if mid not in self._mids]
        if unknown:
            what = f"{unknown[0]!r} is not in the label list"
            return Reject(where, youtube_id, Reason.UNKNOWN_LABEL, what)
        if not mids:
            return Reject(where, youtube_id, Reason.NO_LABEL, "the row has no labels")
        if path is None:
            return Reject(where, youtube_id, Reason.MISSING, "no file has this name")
        return Clip(youtube_id, path, mids, recording_id=youtube_id, split=split)
