"""Walk a source folder once: what is in it, and what must not be read."""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from stages.prepare.catalogue import Catalogue
from stages.prepare.listing import Reason, Reject

# Extensions of files that lie beside audio and hold none. Everything else may be audio: what a
# file holds decides, not what it is called.
_NEVER_AUDIO = re.compile(
    r"\.(bib|cfg|docx?|duckdb|gif|gz|h5|hdf5|html?|ini|ipynb|jams|jpe?g|jsonl?|log|m3u|md|np[yz]"
    r"|parquet|pdf|pkl|png|py|rst|sh|svg|tar|textgrid|toml|[ct]sv|txt|xlsx?|xml|ya?ml|zip)",
    re.IGNORECASE,
)


class SourceFolder:
    """A source folder as it was when it was walked; its files are in the catalogue.

    `outside` are the links that lead out of it.
    """

    def __init__(self, root: Path, catalogue: Catalogue, outside: frozenset[str]) -> None:
        self.root, self.catalogue, self._outside = root, catalogue, outside

    def files(self) -> Iterator[str]:
        """All regular files, relative to `root` with forward slashes, in sorted order.

        Links to files inside are among them.
        """
        return (path for (path,) in self.catalogue.stream("files.sql"))

    def has(self, path: str) -> bool:
        """Whether there is such a file."""
        return bool(self.catalogue.rows("has_file.sql", path=path))

    def inside(self, path: str) -> str | Reason:
        """Normalise a path that a list names, relative to the root; a Reason where it leads out.

        Whether there is such a file is found out later, for all at once.
        """
        found = os.path.normpath(path).replace(os.sep, "/") if path else "."
        if found.startswith(("/", "../")) or found == "..":
            return Reason.ESCAPES_FOLDER
        if self._outside and not self._outside.isdisjoint(
            {found, *map(str, PurePosixPath(found).parents)}
        ):
            return Reason.ESCAPES_FOLDER
        return found


def never_audio(path: str) -> bool:
    """Whether the extension says that a file is no audio."""
    return _NEVER_AUDIO.fullmatch(os.path.splitext(path)[1]) is not None  # noqa: PTH122 - for speed


def walk_source(folder: Path, skip: Collection[Path], catalogue: Catalogue) -> SourceFolder:
    """Put what is in `folder` into the catalogue, without following links.

    The files and folders in `skip` are passed over.

    Raises:
        OSError: `folder` itself cannot be listed.
    """
    root = folder.resolve()
    skipped = {str(path.resolve()) for path in skip}
    skipped |= {str(path.parent.resolve() / path.name) for path in skip}  # where it is a link
    rejects: list[Reject] = []
    catalogue.add("files", _walk(root, skipped, rejects))
    catalogue.add("rejects", rejects)
    outside = frozenset(r.source_path for r in rejects if r.reason is Reason.ESCAPES_FOLDER)
    return SourceFolder(root, catalogue, outside)


def _walk(
    root: Path, skipped: Collection[str], rejects: list[Reject]
) -> Iterator[tuple[str, bool]]:
    """Yield every regular file, and whether its extension is none of audio."""
    pending = [""]
    while pending:
        inside = pending.pop()
        try:
            with os.scandir(root / inside) as entries:
                for entry in entries:
                    if entry.path in skipped:
                        continue
                    path = f"{inside}/{entry.name}" if inside else entry.name
                    reject = _reject(root, path, entry)
                    if reject is not None:
                        rejects.append(reject)
                    elif entry.is_dir():
                        pending.append(path)
                    else:
                        yield path, never_audio(path)
        except OSError as error:
            if not inside:
                raise
            rejects.append(Reject(f"{inside}/", None, Reason.UNREADABLE, str(error.strerror)))


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
