"""What the columns of a Parquet shard say of its clips."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from stages.prepare.layouts.cells import fold_of, labels_of, split_of_path, stem_of, text_of
from stages.prepare.listing import ListedClip, Split
from stages.prepare.parquet_table import ParquetTable
from stages.prepare.repeats import Repeats

LABEL_COLUMNS = ("labels", "human_labels", "label", "category", "class")
EMBEDDED_NAME = "audio.path"

_ID_COLUMNS = ("clip_id", "video_id", "id")
_NAME_COLUMNS = ("filename", "file_name", "slice_file_name")
_RECORDING_COLUMNS = ("recording_id", "src_file", "fsID")
_CLASS_MAPS = {"esc10": "esc50", "slice_file_name": "urbansound8k"}  # by a column of theirs


@dataclass(frozen=True)
class Shard:
    """A Parquet file, and which of its columns say what.

    `class_names` are what numbers in the column of labels stand for, if anything. `split` is what
    the file's path says. `class_map` is the project's map for its class names.
    """

    path: str
    label_column: str
    class_names: tuple[str, ...]
    id_column: str | None
    recording_column: str | None
    has_fold: bool
    has_split: bool
    split: Split | None
    class_map: str | None

    @classmethod
    def of(cls, path: str, table: ParquetTable) -> Self | None:
        """Find the columns; None: it lacks the audio or the labels."""
        label_column = _first(LABEL_COLUMNS, table)
        if label_column is None or not {"bytes", "path"} <= table.fields_of("audio"):
            return None
        marker = _first(_CLASS_MAPS, table)
        return cls(
            path=path,
            label_column=label_column,
            class_names=table.class_names(label_column),
            id_column=_first((*_ID_COLUMNS, *_NAME_COLUMNS), table),
            recording_column=_first(_RECORDING_COLUMNS, table),
            has_fold="fold" in table.columns,
            has_split="split" in table.columns,
            split=split_of_path(path),
            class_map=None if marker is None else _CLASS_MAPS[marker],
        )

    @property
    def columns(self) -> list[str]:
        """All that is read of the file."""
        chosen = [self.label_column, self.id_column or EMBEDDED_NAME]
        chosen += [self.recording_column] if self.recording_column is not None else []
        chosen += ["fold"] if self.has_fold else []
        return [*chosen, "split"] if self.has_split else chosen

    def clip(self, number: int, row: Mapping[str, object], repeats: Repeats) -> ListedClip:
        """The clip of a row; `repeats` are the embedded names that are no ids.

        Raises:
            ValueError: a value is of the wrong kind.
        """
        where = f"{self.path}:{number}"
        clip_id = self._clip_id(row, repeats) or where
        recording_id = None
        if self.recording_column is not None:
            recording_id = text_of(self.recording_column, row[self.recording_column])
        return ListedClip(
            clip_id,
            self.path,
            where,
            self.labels(row),
            recording_id=recording_id or clip_id,
            fold=fold_of("fold", row["fold"]) if self.has_fold else None,
            split=self._split(row) if self.has_split else self.split,
            row=number,
        )

    def labels(self, row: Mapping[str, object]) -> tuple[str, ...]:
        """The labels of a row.

        Raises:
            ValueError: they are of the wrong kind.
        """
        value = row[self.label_column]
        if isinstance(value, int):
            value = [value]
        if isinstance(value, list):
            value = [_class_name(self.class_names, item) for item in value]
        return labels_of(self.label_column, value)

    def _clip_id(self, row: Mapping[str, object], repeats: Repeats) -> str | None:
        column = self.id_column or EMBEDDED_NAME
        name = text_of(column, row[column])
        if name is None or column in _ID_COLUMNS:
            return name
        stem = stem_of(name)
        return None if self.id_column is None and stem in repeats else stem

    def _split(self, row: Mapping[str, object]) -> Split | None:
        written = text_of("split", row["split"])
        if written is None:
            return None
        split = split_of_path(written)
        if split is None:
            raise ValueError(f"split is {written!r}, which is none")
        return split


def _first(names: Iterable[str], table: ParquetTable) -> str | None:
    return next((name for name in names if name in table.columns), None)


def _class_name(names: Sequence[str], item: object) -> object:
    """The name of a class by its number, where there are names; -1 is no class."""
    if not isinstance(item, int) or isinstance(item, bool):
        return item
    if item == -1:
        return None
    if names and not 0 <= item < len(names):
        raise ValueError(f"the class {item} is not one of {len(names)}")
    return names[item] if names else item
