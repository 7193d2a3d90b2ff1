"""The hash of a user's folder: against a plain definition of it, and what changes it."""

import hashlib
import os
from pathlib import Path

import pytest

from stages.lineage import file_sha256, source_hash


def plain(folder: Path, without: Path) -> str:
    """Files of a folder by name, then those of its sub-folders by name; links are not followed."""
    digest = hashlib.sha256()

    def visit(parent: Path) -> None:
        children = sorted(parent.iterdir(), key=lambda child: child.name)
        for child in children:
            if not child.is_dir():
                stat = child.lstat()
                entry = (child.relative_to(folder).as_posix(), stat.st_size, stat.st_mtime_ns)
                digest.update(repr(entry).encode("utf-8", "surrogateescape"))
        for child in children:
            if child.is_dir() and not child.is_symlink() and child.resolve() != without.resolve():
                visit(child)

    visit(folder)
    return digest.hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Folders in folders, odd names, links to files, to folders, to nothing and in a circle."""
    root = tmp_path / "source"
    for name in ("b/two.wav", "a/b/one.wav", "a.wav", "a/'quoted\n name'.wav", "é音/x", "W/clips"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (root / os.fsdecode(b"not \xff utf-8")).touch()
    (root / "empty").mkdir()
    (root / "link.wav").symlink_to("a.wav")
    (root / "circle").symlink_to(".")
    (root / "dangling").symlink_to("nowhere")
    return root


@pytest.mark.parametrize("without", ["W", "a/b", "../elsewhere", "a/../W"])
def test_it_is_what_it_is_defined_to_be(source: Path, without: str) -> None:
    assert source_hash(source, source / without) == plain(source, source / without)


def test_every_change_counts_but_those_in_the_workspace(source: Path) -> None:
    seen = {source_hash(source, source / "W")}
    (source / "W" / "more").touch()
    assert source_hash(source, source / "W") in seen
    changes = [
        lambda: (source / "a.wav").write_text("another size"),
        lambda: os.utime(source / "b" / "two.wav", ns=(1, 1)),
        lambda: (source / "b" / "two.wav").rename(source / "b" / "three.wav"),
        (source / "empty" / "new").touch,
        (source / "dangling").unlink,
    ]
    for number, change in enumerate(changes, 2):
        change()
        seen.add(source_hash(source, source / "W"))
        assert len(seen) == number


def test_a_file_counts_by_its_bytes(source: Path) -> None:
    file = source / "a.wav"
    assert source_hash(file, source / "W") == file_sha256(file)
    os.utime(file, ns=(1, 1))
    assert source_hash(file, source / "W") == hashlib.sha256(b"a.wav").hexdigest()
    assert source_hash(source / "nowhere", source / "W") == "absent"
