"""A manifest: a list of one's own clips.

Source format: `manifest.csv`, `.tsv`, `.jsonl` or `.parquet` in the source folder, or else the only
file there of such a kind with the columns `path` and `labels`; or any file that the user names.
Columns:

- `path`: relative to the source folder.
- `labels`: ids or names; a list (JSON Lines, Parquet) or text that parts them by `;`.
- `split`: train, valid or eval, or what data sets call them; `fold`: a whole number.
- `start_seconds`, `end_seconds`: the part of the file that is the clip.
- `clip_id`: else the path, with `@START-END` after it when the clip is a part of the file.
- `recording_id`: what must not straddle splits; else the path.

Only the first two are needed; others are ignored.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from stages.prepare.layouts.cells import fold_of, labels_of, seconds_of, split_of, text_of
from stages.prepare.layouts.manifest_rows import (
    EXTENSIONS,
    Rows,
    has_columns,
    holds_audio,
    read_manifest,
)
from stages.prepare.listing import ListedClip, Listing, Reason, Reject
from stages.prepare.source import SourceFolder

LOOKS_FOR = "manifest.csv, .tsv, .jsonl or .parquet, or one other such list of paths and labels"


def matches(source: SourceFolder) -> bool:
    """Whether there is a manifest."""
    return _find(source) is not None


def _find(source: SourceFolder) -> str | None:
    """The file called `manifest`, or the only table in the folder itself that could be one."""
    for name in (f"manifest{extension}" for extension in EXTENSIONS):
        if source.has(name) and not holds_audio(source.root / name):
            return name
    tables = [
        path
        for path in source.files()
        if "/" not in path and path.lower().endswith(EXTENSIONS) and has_columns(source.root / path)
    ]
    return tables[0] if len(tables) == 1 else None


def scan(source: SourceFolder, manifest: Path | None = None) -> Listing:
    """List the rows of `manifest`, which may lie anywhere, or of the one in the source folder.

    Raises:
        ArtifactError: it cannot be read, or lacks a column; where it breaks off, when it is read.
    """
    if manifest is None:
        found = _find(source)
        assert found is not None  # noqa: S101 - a layout is scanned only where it matches
        manifest = source.root / found
    name = _name(source, manifest)
    inside = manifest.resolve().is_relative_to(source.root)
    lists = frozenset({name}) if inside else frozenset()
    return Listing(_clips(source, name, read_manifest(manifest)), lists)


def _name(source: SourceFolder, manifest: Path) -> str:
    """How rejects call the manifest: by its path in the source folder, or else by its name."""
    path = manifest.resolve()
    return (
        path.relative_to(source.root).as_posix() if path.is_relative_to(source.root) else path.name
    )


def _clips(source: SourceFolder, name: str, rows: Rows) -> Iterator[ListedClip | Reject]:
    for number, row in rows:
        where = f"{name}:{number}"
        if isinstance(row, str):
            yield Reject(where, None, Reason.MALFORMED_ROW, row)
            continue
        try:
            yield _clip(source, where, row)
        except ValueError as error:
            yield Reject(where, None, Reason.MALFORMED_ROW, str(error))


def _clip(source: SourceFolder, where: str, row: Mapping[str, object]) -> ListedClip | Reject:
    written = text_of("path", row.get("path"))
    if written is None:
        raise ValueError("no path")
    path = source.inside(written)
    clip_id = text_of("clip_id", row.get("clip_id"))
    if isinstance(path, Reason):
        return Reject(where, clip_id, path, f"path {written!r}")
    start = seconds_of("start_seconds", row.get("start_seconds"))
    end = seconds_of("end_seconds", row.get("end_seconds"))
    if end is not None and end <= (start or 0):
        raise ValueError(f"end_seconds {end} is not after start_seconds {start or 0}")
    return ListedClip(
        clip_id=clip_id or path + _part(start, end),
        path=path,
        where=where,
        labels=labels_of("labels", row.get("labels")),
        recording_id=text_of("recording_id", row.get("recording_id")) or path,
        fold=fold_of("fold", row.get("fold")),
        split=split_of("split", row.get("split")),
        start_seconds=start,
        end_seconds=end,
    )


def _part(start: float | None, end: float | None) -> str:
    if start is None and end is None:
        return ""
    return f"@{_shown(start or 0)}-{'' if end is None else _shown(end)}"


def _shown(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
