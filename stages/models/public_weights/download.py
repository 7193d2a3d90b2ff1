"""Fetch a published checkpoint, or find the copy that is on this machine already."""

import hashlib
import http.client
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import torch

from stages.errors import ArtifactError, SpaError
from stages.models.public_weights.published import PublishedFile

_ANSWER_SECONDS = 10
_BLOCK_BYTES = 1 << 20
_MOST_BYTES = 4 << 30  # where nobody says how large the file is


def fetch(published: PublishedFile, say: Callable[[str], None], folder: Path | None = None) -> Path:
    """Path of a published file, downloaded unless `folder` has it.

    `folder` is by default where PyTorch keeps what it downloads (`TORCH_HOME`), so that a copy from
    another program is found. What is downloaded, from where, and its size are said before it starts.
    A copy in the folder has the right hash, where that is known; a download that breaks off, or is
    not what it should be, leaves nothing there.

    Raises:
        ArtifactError: the copy in the folder is not the published file.
        SpaError: the server does not answer, breaks off, or sends something else.
        OSError: the folder cannot be written.
    """
    folder = folder or Path(torch.hub.get_dir(), "checkpoints")
    path = folder / published.file_name
    if path.is_file():
        _check_copy(path, published)
        return path
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for block in _blocks(published, say):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        Path(partial).replace(path)
    finally:
        Path(partial).unlink(missing_ok=True)
    return path


def _check_copy(path: Path, published: PublishedFile) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if published.sha256 not in {None, found}:
        message = f"{path} is not {published.name} as published: its sha256 is {found}"
        raise ArtifactError(message, "delete it, and it is downloaded again")


def _blocks(published: PublishedFile, say: Callable[[str], None]) -> Iterator[bytes]:
    """Yield what the server sends; raise at the end unless size and hash are right."""
    digest, received = hashlib.sha256(), 0
    try:
        # The addresses are those of the table: nobody passes one in.
        with urlopen(published.url, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310
            announced = answer.headers.get("Content-Length")
            size = published.size_bytes or (int(announced) if announced else None)
            words = "size unknown" if size is None else f"{size / 1e6:.0f} MB"
            say(f"downloading {published.file_name} ({words}) from {published.url}")
            while received <= (size or _MOST_BYTES) and (block := answer.read(_BLOCK_BYTES)):
                received += len(block)
                digest.update(block)
                yield block
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, HTTPError):
            error.close()  # it holds the connection
        raise _failed(published, str(error) or type(error).__name__) from error
    if received > _MOST_BYTES or size not in {None, received}:
        raise _failed(published, f"it sent {received} bytes, not {size or 'a checkpoint'}")
    if published.sha256 not in {None, digest.hexdigest()}:
        raise _failed(published, f"it sent a file whose sha256 is {digest.hexdigest()}")


def _failed(published: PublishedFile, reason: str) -> SpaError:
    host = urlsplit(published.url).netloc
    message = f"{published.name} could not be downloaded from {host}: {reason}"
    return SpaError(message, f"get {published.url} in another way, and give that file")
