"""The arrays of an npz file that a user brings, none larger than what the file can hold."""

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from stages.errors import ArtifactError
from stages.evaluate.scores_file.columns import MOST_NAME_CHARS, MOST_SCORE_BYTES
from stages.evaluate.scores_file.wording import listed, quoted

_MOST_HEADER_BYTES = 1 << 13
_MOST_DEFLATE = 1032  # deflate makes nothing smaller than a 1032nd
_PIECE_BYTES = 1 << 20
# What zipfile, zlib and numpy's parser of headers raise for bytes that are not theirs.
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, tokenize.TokenError, SyntaxError, EOFError),
    *(ValueError, TypeError, OSError, RuntimeError, MemoryError),
)


@dataclass(frozen=True)
class Header:
    """What the file says of an array, and in how many bytes."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]
    header_bytes: int


class NpzArrays:
    """The arrays of an open npz file, by name. Nothing is unpickled."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self._path = path
        self._archive = archive
        self.names = [name.removesuffix(".npy") for name in archive.namelist()]

    def header(self, name: str) -> Header:
        """The shape and type of an array, without its values.

        Raises:
            ArtifactError: as `read`.
        """
        with self._member(name) as (_, header):
            return header

    def read(self, name: str) -> NDArray[Any]:
        """Read an array of text, numbers or booleans, in the byte order of this machine.

        Raises:
            ArtifactError: not one array of that name, or it is broken, or of Python objects or
                records, or claims more than the file can hold.
        """
        with self._member(name) as (file, header):
            size = prod(header.shape) * header.dtype.itemsize
            content = _read_exactly(file, size)
        # A byte that is neither 0 nor 1 is no boolean: numpy would take it for one.
        values = content if header.dtype.kind == "b" else content.view(header.dtype)
        array = values.reshape(header.shape, order="F" if header.fortran_order else "C")
        return array.astype(header.dtype.newbyteorder("="), copy=False)

    @contextmanager
    def _member(self, name: str) -> Iterator[tuple[IO[bytes], Header]]:
        """Open an array at its first value, having checked what its header says."""
        if self.names.count(name) != 1:
            raise ArtifactError(
                f"{self._path} has the arrays {listed(self.names)}, not one {name!r}",
                "write it with numpy.savez(FILE, clip_id=..., scores=..., targets=...)",
            )
        member = self._archive.infolist()[self.names.index(name)]
        where = f"{self._path}: array {name!r}"
        _check_claim(where, member, self._path.stat().st_size)
        try:
            with self._archive.open(member) as file:
                header = _read_header(file)
                _check_dtype(where, name, header.dtype)
                size = prod(header.shape) * header.dtype.itemsize
                if size != member.file_size - header.header_bytes:
                    raise ValueError(f"its values are not {header.shape} of {header.dtype}")
                yield file, header
        except _BROKEN as error:
            first_line = (str(error).splitlines() or [type(error).__name__])[0]
            raise ArtifactError(
                f"{where} cannot be read: {first_line}", "write it again"
            ) from error


@contextmanager
def open_npz(path: Path) -> Iterator[NpzArrays]:
    """Open an npz file, or say which file is none."""
    try:
        archive = zipfile.ZipFile(path)
    except _BROKEN as error:
        what = error.strerror if isinstance(error, OSError) else "it is no zip file, or cut off"
        raise ArtifactError(
            f"{path} cannot be read as npz: {what}", "write it with numpy.savez"
        ) from error
    with archive:
        yield NpzArrays(path, archive)


def _check_claim(where: str, member: zipfile.ZipInfo, file_bytes: int) -> None:
    """Refuse what cannot be in so small a file before any memory is taken for it."""
    ratios = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: _MOST_DEFLATE}
    if member.compress_type not in ratios:
        raise ArtifactError(
            f"{where} is compressed in a way that numpy does not use",
            "write it with numpy.savez or numpy.savez_compressed",
        )
    most = min(member.compress_size, file_bytes) * ratios[member.compress_type]
    if member.file_size > min(most, MOST_SCORE_BYTES):
        raise ArtifactError(
            f"{where} claims {member.file_size} bytes,"
            f" {'more than the file can hold' if member.file_size > most else 'which is too much'}",
            "write it again, scores as 32-bit floating point",
        )


def _check_dtype(where: str, name: str, dtype: np.dtype[Any]) -> None:
    if dtype.hasobject:
        shown = quoted(name)[1:-1]
        next_step = f"write {shown}={shown}.astype(str), or whole numbers"
        if name in {"scores", "targets"}:
            next_step = "give numbers, (clips, labels); of lists of targets, 0 or 1 for each label"
        raise ArtifactError(
            f"{where} holds Python objects, which are not read: they could run code",
            next_step,
        )
    most = {"U": 4 * MOST_NAME_CHARS, "S": MOST_NAME_CHARS}.get(dtype.kind, 8)  # no long double
    if dtype.kind not in "fiubUS" or not 0 < dtype.itemsize <= most:
        raise ArtifactError(
            f"{where} is {dtype}",
            f"give text of at most {MOST_NAME_CHARS} characters, whole numbers or 16 to 64-bit floats",
        )


def _read_header(file: IO[bytes]) -> Header:
    """Read the header of an array, having checked its length: numpy's parser would believe it."""
    start = _read_exactly(file, 12).tobytes()
    version = npy.read_magic(BytesIO(start))[0]
    if version not in (1, 2):
        raise ValueError(f"version {version} of numpy's format is for records")
    fixed, length = (10, "<H") if version == 1 else (12, "<I")
    header_bytes = fixed + struct.unpack_from(length, start, 8)[0]
    if not len(start) <= header_bytes <= _MOST_HEADER_BYTES:
        raise ValueError(f"its header is {header_bytes} bytes long")
    rest = BytesIO(start[8:] + _read_exactly(file, header_bytes - len(start)).tobytes())
    parse = npy.read_array_header_1_0 if version == 1 else npy.read_array_header_2_0
    shape, fortran_order, dtype = parse(rest)
    if min(shape, default=0) < 0:
        raise ValueError(f"its shape is {shape}")
    return Header(shape, fortran_order, dtype, header_bytes)


def _read_exactly(file: IO[bytes], size: int) -> NDArray[np.uint8]:
    """Read so many bytes piece by piece; at the end of the member, its checksum is verified."""
    content = np.empty(size, dtype=np.uint8)
    at = 0
    while at < size:
        piece = file.read(min(_PIECE_BYTES, size - at))
        if not piece:
            raise EOFError("it is cut off")
        content[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
        at += len(piece)
    return content
