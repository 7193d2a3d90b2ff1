"""Read columns of a Parquet file that a data set or a user brings, a batch of rows at a time."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stages.errors import ArtifactError

_ROWS_AT_ONCE = 256
_MOST_BYTES = 16 << 20  # of so many rows: a file of kilobytes may repeat a long value for ever
_BUFFER_BYTES = 1 << 20  # a column chunk is read piece by piece, never as a whole
_BROKEN = (pa.ArrowException, OSError, ValueError, NotImplementedError)


class ParquetTable:
    """A Parquet file, to be used in a `with`.

    `columns` are the names of its columns; a name that two columns share is none of them.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and read its footer.

        Raises:
            ArtifactError: it cannot be opened, or is no Parquet.
        """
        self._path = path
        try:
            metadata = pq.read_metadata(path)
            texts, self._rows_at_once = _texts(metadata)
            self._file = pq.ParquetFile(
                path,
                metadata=metadata,
                read_dictionary=texts,
                buffer_size=_BUFFER_BYTES,
                pre_buffer=False,
            )
            self._schema: pa.Schema = self._file.schema_arrow
        except _BROKEN as error:
            raise ArtifactError(f"{path} is no Parquet file: {_short(error)}") from error
        counts = Counter(self._schema.names)
        self.columns = frozenset(name for name, count in counts.items() if count == 1)

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file."""
        self._file.close()

    def fields_of(self, column: str) -> frozenset[str]:
        """Names of the fields of a column that is a struct; else nothing."""
        kind = self._schema.field(column).type if column in self.columns else pa.null()
        return frozenset(field.name for field in kind) if pa.types.is_struct(kind) else frozenset()

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, object]]]:
        """Yield the number (from 0) of each row and its values by column.

        A column may be a field of a struct, as `audio.path`: the other fields are not read then. A
        value that Python cannot hold, as text that is no UTF-8, is the exception that says why.

        Raises:
            ArtifactError: the file is broken, or its values are too long.
        """
        number = 0
        try:
            for batch in self._batches(list(columns)):
                for row in zip(*self._values(batch, columns), strict=True):
                    yield number, dict(zip(columns, row, strict=True))
                    number += 1
        except _BROKEN as error:
            raise ArtifactError(f"{self._path} is broken: {_short(error)}") from error

    def _batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        for group in range(self._file.num_row_groups):  # each has dictionaries of its own
            yield from self._file.iter_batches(
                self._rows_at_once, row_groups=[group], columns=columns, use_threads=False
            )

    def _values(self, batch: pa.RecordBatch, columns: Sequence[str]) -> list[list[object]]:
        arrays = [_column(batch, column) for column in columns]
        if sum(_bytes_of(array) for array in arrays) > _MOST_BYTES:
            raise ArtifactError(f"{self._path} has values beyond all measure")
        return [_to_python(_plain(array)) for array in arrays]

    def class_names(self, column: str) -> tuple[str, ...]:
        """Names of the classes that the numbers in `column` stand for, as Hugging Face writes them.

        They are in the schema's metadata. Empty where it says nothing, or nothing that makes sense.
        """
        try:
            feature: object = json.loads((self._schema.metadata or {})[b"huggingface"])
        except (KeyError, ValueError, RecursionError):
            return ()
        for key in ("info", "features", column):
            feature = feature.get(key) if isinstance(feature, Mapping) else None
        if isinstance(feature, list) and feature:  # a list of classes, as older versions write it
            feature = feature[0]
        if isinstance(feature, Mapping) and "feature" in feature:
            feature = feature["feature"]
        names = feature.get("names") if isinstance(feature, Mapping) else None
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return tuple(names)
        return ()


def _column(batch: pa.RecordBatch, column: str) -> pa.Array:
    name, _, field = column.partition(".")
    array = batch.column(name)
    if field:
        (array,) = array.flatten()
    return array


def _texts(metadata: pq.FileMetaData) -> tuple[list[str], int]:
    """Columns of text or bytes to read as dictionaries, and how many rows to read at once.

    Else Arrow would write out a long value for each row that refers to it, before we can measure.
    It cannot do so for the delta encodings: then a row at a time, and lists of such text not at
    all, as a row may have any number.
    """
    texts, rows_at_once = [], _ROWS_AT_ONCE
    groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    for number in range(metadata.num_columns):
        column = metadata.schema.column(number)
        if column.physical_type != "BYTE_ARRAY":
            continue
        encodings = {name for group in groups for name in group.column(number).encodings}
        if column.max_repetition_level or not any(name.startswith("DELTA") for name in encodings):
            texts.append(column.path)
        else:
            rows_at_once = 1
    return texts, rows_at_once


def _bytes_of(array: pa.Array) -> int:
    """Bytes that the values take when none is shared through a dictionary."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        used = array.indices.dictionary_encode()  # of a dictionary that may be far larger
        values = array.dictionary.take(used.dictionary)
        if not (pa.types.is_string(kind.value_type) or pa.types.is_binary(kind.value_type)):
            return len(array) * int(values.nbytes)
        lengths = pc.binary_length(values).take(used.indices)
        return 4 * len(array) + (pc.sum(lengths).as_py() or 0)
    if pa.types.is_struct(kind):
        return len(array) + sum(_bytes_of(field) for field in array.flatten())
    if isinstance(array, (pa.ListArray, pa.LargeListArray, pa.FixedSizeListArray)):
        return 4 * len(array) + _bytes_of(array.flatten())
    return int(array.nbytes)


def _plain(array: pa.Array) -> pa.Array:
    """The same without a dictionary where that makes for faster Python values."""
    if pa.types.is_dictionary(array.type):
        return array.dictionary_decode()
    if pa.types.is_list(array.type) and pa.types.is_dictionary(array.type.value_type):
        return array.cast(pa.list_(array.type.value_type.value_type))
    return array


def _to_python(array: pa.Array) -> list[object]:
    try:
        values: list[object] = array.to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):
        return [_value(scalar) for scalar in array]
    return values


def _value(scalar: pa.Scalar) -> object:
    try:
        return scalar.as_py()
    except (ValueError, OverflowError, pa.ArrowException) as error:
        return error


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0][:200]
