"""A workspace that shares another one's artifacts: nothing is copied."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def link(workspace: Path, folder: Path, names: Iterable[str]) -> None:
    """Link the artifacts `names` of `workspace` into `folder`, by paths relative to it.

    Both may then be moved together. What is there already is left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        with suppress(FileExistsError):
            (folder / name).symlink_to(os.path.relpath(workspace / name, folder))
