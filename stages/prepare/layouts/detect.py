"""Which layout a source folder has."""

from collections.abc import Callable
from dataclasses import dataclass

from stages.errors import UsageError
from stages.prepare.layouts import audioset, folder, fsd50k, manifest, metadata, parquet_shards
from stages.prepare.listing import Listing
from stages.prepare.source import SourceFolder


@dataclass(frozen=True)
class Layout:
    """A way to lay out a data set: how to know it, and how to list it."""

    name: str
    looks_for: str
    matches: Callable[[SourceFolder], bool]
    scan: Callable[[SourceFolder], Listing]


# In the order in which they are tried: any data set with audio in folders matches the last.
LAYOUTS = (
    Layout("metadata", metadata.LOOKS_FOR, metadata.matches, metadata.scan),
    Layout("fsd50k", fsd50k.LOOKS_FOR, fsd50k.matches, fsd50k.scan),
    Layout("audioset", audioset.LOOKS_FOR, audioset.matches, audioset.scan),
    Layout("manifest", manifest.LOOKS_FOR, manifest.matches, manifest.scan),
    Layout("huggingface", parquet_shards.LOOKS_FOR, parquet_shards.matches, parquet_shards.scan),
    Layout("folder", folder.LOOKS_FOR, folder.matches, folder.scan),
)


def choose_layout(source: SourceFolder, name: str) -> Layout:
    """Take the layout called `name`, or for "auto" the first that matches.

    Raises:
        UsageError: the folder does not hold what the layout looks for.
    """
    asked = [layout for layout in LAYOUTS if name in ("auto", layout.name)]
    for layout in asked:
        if layout.matches(source):
            return layout
    looked_for = "; ".join(f"{layout.looks_for} ({layout.name})" for layout in asked)
    raise UsageError(
        f"{source.root} has no known layout: found none of these: {looked_for}",
        "name the data set's own folder, or lay it out in one of these ways",
    )
