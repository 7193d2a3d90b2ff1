"""From what a layout names to the clips that are there, each with a file of its own."""

import os
from collections.abc import Iterator

from stages.prepare.listing import ListedClip, Listing, Reject
from stages.prepare.source import SourceFolder

_REJECTS_AT_ONCE = 20_000


def find_clips(listing: Listing, source: SourceFolder) -> int:
    """Fill the catalogue's table `found` from `listing`, and reject what is not there.

    Returns how many files, rows or segments the layout named.
    """
    catalogue = source.catalogue
    catalogue.add("lists", ((path,) for path in listing.lists))
    entries = _Entries(listing, source)
    catalogue.add("listed", entries.clips())
    if listing.names_of is not None:
        catalogue.add("file_names", _file_names(listing, source))
        catalogue.do("name_segments.sql")
        catalogue.do("match_names.sql")
    catalogue.do("find.sql")
    catalogue.do("reject_missing.sql")
    catalogue.do("reject_rest.sql")
    return entries.count


class _Entries:
    """Parts a layout's stream into clips, which it yields, and rejects, which it files."""

    def __init__(self, listing: Listing, source: SourceFolder) -> None:
        self._listing, self._source = listing, source
        self.count = 0

    def clips(self) -> Iterator[tuple[object, ...]]:
        rejects: list[Reject] = []
        for entry in self._listing.found:
            if isinstance(entry, ListedClip):
                yield self.count, *entry
            else:
                rejects.append(entry)
            self.count += 1
            if len(rejects) == _REJECTS_AT_ONCE:
                self._source.catalogue.add("rejects", rejects)
                rejects.clear()
        self._source.catalogue.add("rejects", rejects)


def _file_names(listing: Listing, source: SourceFolder) -> Iterator[tuple[object, ...]]:
    assert listing.names_of is not None  # noqa: S101 - asked for by the caller
    for (path,) in source.catalogue.stream("files_maybe_audio.sql"):
        stem, _ = os.path.splitext(os.path.basename(path))  # noqa: PTH119, PTH122 - for speed
        for name in listing.names_of(stem):
            yield path, *name
