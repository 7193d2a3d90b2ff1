"""Walk a source folder once: what is in it, and what must not be read."""

import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stages.prepare.listing import Reason, Reject

# Extensions of files that lie beside audio and hold none. Everything else may be audio: what a
# file holds decides, not what it is called.
_NEVER_AUDIO = re.compile(
    r"\.(bib|cfg|docx?|duckdb|gif|gz|h5|hdf5|html?|ini|ipynb|jams|jpe?g|jsonl?|log|m3u|md|np[yz]"
    r"|parquet|pdf|pkl|png|py|rst|sh|svg|tar|textgrid|toml|[ct]sv|txt|xlsx?|xml|ya?ml|zip)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SourceFolder:
    """A source folder as it was when it was walked.

    `files` are its regular files in sorted order (the values mean nothing), relative to `root` with
    forward slashes; links to files inside are among them. `outside` are the links that lead out.
    `rejects` tells of everything else but folders.
    """

    root: Path
    files: dict[str, None]
    outside: frozenset[str]
    rejects: tuple[Reject, ...]

    def locate(self, path: str) -> str | Reason:
        """Find the file that a list names by `path`, relative to the root; or why it is not had."""
        found = os.path.normpath(path).replace(os.sep, "/")
        if found.startswith(("/", "../")) or found == "..":
            return Reason.ESCAPES_FOLDER
        if not self.outside.isdisjoint({found, *map(str, PurePosixPath(found).parents)}):
            return Reason.ESCAPES_FOLDER
        return found if found in self.files else Reason.MISSING

    def rejects_of_rest(self, used: Collection[str], why: Reason, detail: str) -> Iterable[Reject]:
        """Reject every file that is not in `used`: as no audio, or because of `why`."""
        for path in self.files:
            if path not in used:
                yield not_audio(path) or Reject(path, None, why, detail)


def not_audio(path: str) -> Reject | None:
    """Reject a file whose extension says that it is no audio."""
    extension = PurePosixPath(path).suffix
    if _NEVER_AUDIO.fullmatch(extension) is None:
        return None
    return Reject(path, None, Reason.NOT_AUDIO, f"{extension} is no extension of audio")


def walk_source(folder: Path, skip: Collection[Path]) -> SourceFolder:
    """List what is in `folder`, without the files and folders in `skip`, and without following links.

    Raises:
        OSError: `folder` itself cannot be listed.
    """
    root = folder.resolve()
    skipped = {str(path.resolve()) for path in skip}
    skipped |= {str(path.parent.resolve() / path.name) for path in skip}  # where it is a link
    files: list[str] = []
    rejects: list[Reject] = []
    pending = [""]
    while pending:
        inside = pending.pop()
        try:
            with os.scandir(root / inside) as entries:
                found = [entry for entry in entries if entry.path not in skipped]
        except OSError as error:
            if not inside:
                raise
            rejects.append(Reject(f"{inside}/", None, Reason.UNREADABLE, str(error.strerror)))
            continue
        for entry in found:
            path = f"{inside}/{entry.name}" if inside else entry.name
            reject = _reject(root, path, entry)
            if reject is not None:
                rejects.append(reject)
            elif entry.is_dir():
                pending.append(path)
            else:
                files.append(path)
    rejects.sort()
    outside = frozenset(r.source_path for r in rejects if r.reason is Reason.ESCAPES_FOLDER)
    return SourceFolder(root, dict.fromkeys(sorted(files)), outside, tuple(rejects))


def _reject(root: Path, path: str, entry: os.DirEntry[str]) -> Reject | None:
    """Why a directory entry is neither a folder to walk nor a file to take."""
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        return Reject(shown, None, Reason.BAD_NAME, "the name is no valid UTF-8")
    if entry.name.startswith("."):
        return Reject(path, None, Reason.HIDDEN, "the name begins with a dot")
    if entry.is_symlink():
        return _reject_link(root, path, Path(entry.path))
    if not (entry.is_dir() or entry.is_file()):
        return Reject(path, None, Reason.UNREADABLE, "a pipe, socket or device, not a file")
    return None


def _reject_link(root: Path, path: str, link: Path) -> Reject | None:
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a loop, before Python 3.13
        return Reject(path, None, Reason.MISSING, "a link that leads nowhere")
    if not target.is_relative_to(root):
        return Reject(path, None, Reason.ESCAPES_FOLDER, "a link out of the source folder")
    if target.is_dir():
        return Reject(path, None, Reason.LINKED_FOLDER, "a link to a folder is not followed")
    if not target.is_file():
        return Reject(path, None, Reason.UNREADABLE, "a link to no regular file")
    return None
