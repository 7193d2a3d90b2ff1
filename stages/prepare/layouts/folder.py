"""One folder a class: `SOURCE/CLASS/**/FILE`.

Source format: any; known best from ESC-10 as first published (K. J. Piczak, "ESC: Dataset for
Environmental Sound Classification", ACM Multimedia 2015): `001 - Dog bark/1-100032-A.ogg`, where
the file name is fold, Freesound id and take, and the number before the class name orders folders.
"""

import re
from collections.abc import Iterator

from stages.prepare.class_map import class_key
from stages.prepare.layouts.cells import stem_of
from stages.prepare.listing import ListedClip, Listing, Reason, Reject
from stages.prepare.repeats import Repeats
from stages.prepare.source import SourceFolder, never_audio

LOOKS_FOR = "a folder a class, with audio files in it"

_ORDER = re.compile(r"^\d+ - ")
_ESC_NAME = re.compile(r"^(?P<fold>\d)-(?P<freesound_id>\d+)-[A-Z](-\d+)?$")
_ESC_CLASS_MAP = "esc50"


def matches(source: SourceFolder) -> bool:
    """Whether a file that may be audio lies in a sub-folder."""
    return any("/" in path for path in _files(source))


def _files(source: SourceFolder) -> Iterator[str]:
    return (path for path in source.files() if not never_audio(path))


def scan(source: SourceFolder) -> Listing:
    """List every file below a class folder, in the order of the paths.

    A clip is called by its file's name without extension where that is unique, else by its path.
    Where most files are named as in ESC-10, these have a fold, takes of one Freesound recording
    share a recording id, and the classes are ESC's; elsewhere the file's name is the recording id.
    Reads the paths twice before, to know that and which names are unique.
    """
    stems = (stem_of(path) for path in _files(source) if "/" in path)
    repeats = Repeats(stems)
    is_esc = _is_esc(source)
    return Listing(
        found=(_clip(path, repeats, is_esc=is_esc) for path in _files(source)),
        lists=frozenset(),
        class_map=_ESC_CLASS_MAP if is_esc else None,
    )


def _is_esc(source: SourceFolder) -> bool:
    """Whether more than half of the files are called as in ESC-10: a few may be by chance."""
    files = named = 0
    for path in _files(source):
        files += 1
        named += _ESC_NAME.match(stem_of(path)) is not None
    return 2 * named > files


def _clip(path: str, repeats: Repeats, *, is_esc: bool) -> ListedClip | Reject:
    folder, inside, _ = path.partition("/")
    if not inside:
        return Reject(path, None, Reason.NO_LABEL, "it lies in no class folder")
    label = _ORDER.sub("", folder).strip() or folder.strip()
    labels = (label,) if class_key(label) else ()
    stem = stem_of(path)
    clip_id = path if stem in repeats else stem
    esc = _ESC_NAME.match(stem) if is_esc else None
    if esc is None:
        return ListedClip(clip_id, path, path, labels, recording_id=stem)
    return ListedClip(clip_id, path, path, labels, esc["freesound_id"], fold=int(esc["fold"]))
