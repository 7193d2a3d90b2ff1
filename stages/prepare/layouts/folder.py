"""One folder a class: `SOURCE/CLASS/**/FILE`.

Source format: any; known best from ESC-10 as first published (K. J. Piczak, "ESC: Dataset for
Environmental Sound Classification", ACM Multimedia 2015): `001 - Dog bark/1-100032-A.ogg`, where
the file name is fold, Freesound id and take, and the number before the class name orders folders.
"""

import re
from collections import Counter
from pathlib import PurePosixPath

from stages.prepare.listing import Clip, Listing, Reason, Reject
from stages.prepare.source import SourceFolder, not_audio

LOOKS_FOR = "a folder a class, with audio files in it"

_ORDER = re.compile(r"^\d+ - ")
_ESC_NAME = re.compile(r"^(?P<fold>\d)-(?P<freesound_id>\d+)-[A-Z](-\d+)?$")
_ESC_CLASS_MAP = "esc50"


def matches(source: SourceFolder) -> bool:
    """Whether a file that may be audio lies in a sub-folder."""
    return any("/" in path and not_audio(path) is None for path in source.files)


def scan(source: SourceFolder) -> Listing:
    """List every file below a class folder, in the order of the paths.

    Files named as in ESC-10 have a fold, and takes of one Freesound recording share a recording id;
    elsewhere the file's name is the recording id.
    """
    rejects = []
    paths = []
    for path in source.files:
        reject = not_audio(path)
        if reject is None and "/" not in path:
            reject = Reject(path, None, Reason.NO_LABEL, "it lies in no class folder")
        if reject is None:
            paths.append(path)
        else:
            rejects.append(reject)
    clips = [_clip(path, clip_id) for path, clip_id in _clip_ids(paths).items()]
    is_esc = any(clip.fold is not None for clip in clips)
    return Listing(clips, rejects, class_map=_ESC_CLASS_MAP if is_esc else None)


def _clip(path: str, clip_id: str) -> Clip:
    folder, _, _ = path.partition("/")
    class_name = _ORDER.sub("", folder)
    stem = PurePosixPath(path).stem
    esc = _ESC_NAME.match(stem)
    if esc is None:
        return Clip(clip_id, path, (class_name,), recording_id=stem)
    return Clip(clip_id, path, (class_name,), esc["freesound_id"], fold=int(esc["fold"]))


def _clip_ids(paths: list[str]) -> dict[str, str]:
    """Name each path by its stem where that is unique, else without extension, else in full."""
    stems = Counter(PurePosixPath(path).stem for path in paths)
    bare = Counter(str(PurePosixPath(path).with_suffix("")) for path in paths)
    taken = set(paths)
    found = {}
    for path in paths:
        stem, without = PurePosixPath(path).stem, str(PurePosixPath(path).with_suffix(""))
        if stems[stem] == 1:
            found[path] = stem
        else:
            found[path] = without if bare[without] == 1 and without not in taken else path
    return found
