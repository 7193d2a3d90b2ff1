"""Where an artifact came from: settings, seed, versions and the hashes of what went in."""

import hashlib
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from os.path import samestat
from pathlib import Path

_RECORDED_PACKAGES = (
    "duckdb",
    "librosa",
    "numpy",
    "open_clip_torch",
    "pyarrow",
    "soundfile",
    "soxr",
    "tokenizers",
    "torch",
    "transformers",
)
_BLOCK_BYTES = 1 << 20


def spa_version() -> str:
    """Version of the installed distribution."""
    return metadata.version("spa-audio")


def package_versions() -> dict[str, str]:
    """Versions of Python and of the packages that can change an artifact's numbers."""
    versions = {"python": platform.python_version(), "spa-audio": spa_version()}
    for package in _RECORDED_PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


@dataclass(frozen=True)
class Lineage:
    """What made an artifact. `inputs` maps each input to the SHA-256 of its bytes or listing."""

    stage: str
    settings: dict[str, object]
    inputs: dict[str, str]
    versions: dict[str, str]

    def to_json(self) -> str:
        """The same lineage always gives the same text."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    def fingerprint(self) -> str:
        """SHA-256 that changes when a run of the stage could give something else.

        Of the versions only our own counts: an upgrade of a package does not make old work stale.
        """
        what = [self.stage, self.settings, self.inputs, self.versions.get("spa-audio")]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()

    def identity(self) -> str:
        """SHA-256 of all of it: of two runs with the same, one can go on where the other stopped."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def source_hash(path: Path, without: Path) -> str:
    """Identify what a user's path holds: a file by its bytes, a folder by names, sizes and times.

    A folder `without` in it (the workspace) is passed over: it changes with every run.
    """
    if path.is_file():
        return file_sha256(path)
    if not path.is_dir():
        return "absent"
    digest = hashlib.sha256()
    for entry in _walk(path, without):
        digest.update(repr(entry).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _walk(folder: Path, without: Path) -> Iterator[tuple[str, int, int]]:
    """Yield path, size and time of every file, in a fixed order. Strings and one lstat a file: of
    millions of files, objects would take minutes.
    """
    passed_over = without.stat() if without.is_dir() else None
    top = str(folder)
    for parent, folders, files in os.walk(top):
        if passed_over is not None:
            stats = ((name, Path(parent, name).stat()) for name in folders)
            folders[:] = [name for name, found in stats if not samestat(found, passed_over)]
        folders.sort()
        relative = os.path.relpath(parent, top).replace(os.sep, "/")
        prefix = "" if relative == "." else f"{relative}/"
        for name in sorted(files):
            status = os.lstat(f"{parent}{os.sep}{name}")
            yield f"{prefix}{name}", status.st_size, status.st_mtime_ns
