"""Audio in the rows of Parquet files."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.errors import AudioError
from stages.prepare.parquet_rows import AudioRows

AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def content(row: int) -> bytes:
    """As long as a short clip, and other for every row."""
    return np.random.default_rng(row).bytes(1000 + row)


def write(path: Path, rows: list[Any], row_group_size: int, kind: pa.DataType = AUDIO) -> Path:
    table = pa.table({"label": list(range(len(rows))), "audio": pa.array(rows, kind)})
    pq.write_table(table, path, row_group_size=row_group_size)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Forty rows in row groups of 1, 3, 16 and 40."""
    folder = tmp_path_factory.mktemp("rows")
    rows = [{"bytes": content(row), "path": f"{row}.wav"} for row in range(40)]
    return {size: write(folder / f"{size}.parquet", rows, size) for size in (1, 3, 16, 40)}


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 3, 16, 40]), st.integers(0, 39)), min_size=1, max_size=12
    )
)
def test_any_row_of_any_file_in_any_order(
    files: dict[int, Path], asked: list[tuple[int, int]]
) -> None:
    rows = AudioRows()
    for size, row in asked:
        assert rows.read(files[size], row) == content(row)


def fails(rows: AudioRows, path: Path, row: int) -> tuple[str, str]:
    with pytest.raises(AudioError) as raised:
        rows.read(path, row)
    return raised.value.code, raised.value.message


def test_a_row_without_bytes(tmp_path: Path) -> None:
    here = {"bytes": content(2), "path": "c.wav"}
    path = write(tmp_path / "a.parquet", [{"bytes": None, "path": "dogs/b.wav"}, None, here], 3)
    rows = AudioRows()
    assert fails(rows, path, 0) == ("missing", "the row holds no bytes, only the path 'dogs/b.wav'")
    assert fails(rows, path, 1)[0] == "missing"
    assert rows.read(path, 2) == content(2)
    code, message = fails(rows, path, 3)
    assert (code, message.rpartition(": no ")[2]) == ("unreadable", "row 3: there are 3")
    assert rows.read(path, 2) == content(2)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.string(), "a.wav"),
        (pa.struct([("bytes", pa.string()), ("path", pa.string())]), {"bytes": "RIFF"}),
        (pa.struct([("bytes", pa.list_(pa.uint8()))]), {"bytes": [82, 73]}),
        (pa.struct([("array", pa.list_(pa.float32()))]), {"array": [0.5]}),
        (pa.list_(AUDIO), [{"bytes": b"RIFF"}]),
    ],
)
def test_a_column_of_another_kind(tmp_path: Path, kind: pa.DataType, value: object) -> None:
    path = write(tmp_path / "a.parquet", [value, value], 2, kind)
    assert fails(AudioRows(), path, 1)[0] == "unreadable"


def test_columns_called_as_the_fields_of_audio(tmp_path: Path) -> None:
    others = {"audio.bytes": [b"no", b"no"], "audio.path": ["x", "y"]}
    audio = pa.array([{"bytes": b"RIFF", "path": None}, {"bytes": b"RIFX", "path": None}], AUDIO)
    path = tmp_path / "a.parquet"
    for columns in ({**others, "audio": audio}, {"audio": audio, **others}):
        pq.write_table(pa.table(columns), path)
        rows = AudioRows()
        assert [rows.read(path, 0), rows.read(path, 1)] == [b"RIFF", b"RIFX"]
    pq.write_table(pa.table(others), path)
    assert fails(AudioRows(), path, 0)[0] == "unreadable"


def test_large_binary_and_no_path(tmp_path: Path) -> None:
    kind = pa.struct([("bytes", pa.large_binary())])
    path = write(tmp_path / "a.parquet", [{"bytes": b"RIFF"}, {"bytes": None}], 2, kind)
    rows = AudioRows()
    assert rows.read(path, 0) == b"RIFF"
    assert fails(rows, path, 1)[0] == "missing"


def test_what_is_no_parquet_file(tmp_path: Path, files: dict[int, Path]) -> None:
    rows = AudioRows()
    assert fails(rows, tmp_path / "none.parquet", 0) == ("missing", "no such file")
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(files[16].read_bytes()[:-100])
    for path in (cut, tmp_path):
        assert fails(rows, path, 0)[0] == "unreadable"
    assert rows.read(files[16], 5) == content(5)


def test_what_is_broken_in_the_middle_costs_what_cannot_be_read(tmp_path: Path) -> None:
    """And it is the same rows, with the same words, wherever the reading began."""
    rows = [{"bytes": content(row), "path": f"{row}.wav"} for row in range(40)]
    path = tmp_path / "a.parquet"
    table = pa.table({"audio": pa.array(rows, AUDIO)})
    pq.write_table(
        table, path, row_group_size=20, data_page_size=2000, use_dictionary=False, compression="none",
        write_batch_size=1,
    )  # fmt: skip
    data = bytearray(path.read_bytes())
    at = data.index(content(10)) - 60
    data[at : at + 60] = b"\xff" * 60  # the header of a page
    path.write_bytes(data)

    def outcome(reader: AudioRows, row: int) -> object:
        try:
            return reader.read(path, row) == content(row)
        except AudioError as error:
            return error.code, error.message

    one = AudioRows()
    found = [outcome(one, row) for row in range(40)]
    assert found == [outcome(AudioRows(), row) for row in range(40)]
    assert found[:8] == [True] * 8
    assert found[20:] == [True] * 20
    assert {kind[0] for kind in found[10:20] if isinstance(kind, tuple)} == {"unreadable"}
    assert not any(kind is True for kind in found[11:20])


PROGRAM = """
import resource, sys
from pathlib import Path
from stages.prepare.parquet_rows import AudioRows

rows, path = AudioRows(), Path(sys.argv[1])
assert len(rows.read(path, 0)) == 1_000_000
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for row in range(100):
    assert len(rows.read(path, row)) == 1_000_000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_row_group_is_never_held_whole(tmp_path: Path) -> None:
    """A row group of 100 MB is read in less than 16 MB."""
    path = tmp_path / "a.parquet"
    clip = np.random.default_rng(0).bytes(1_000_000)
    rows = [{"bytes": bytes([row]) + clip[1:], "path": ""} for row in range(100)]
    pq.write_table(pa.table({"audio": pa.array(rows, AUDIO)}), path, use_dictionary=False)
    reading = subprocess.run(
        [sys.executable, "-c", PROGRAM, path], capture_output=True, text=True, check=True
    )
    assert int(reading.stdout) < 16 * 1024
