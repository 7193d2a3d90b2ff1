"""What a walk of the source folder finds, and what it stays away from."""

import os
from pathlib import Path

import pytest

from stages.prepare.catalogue import Catalogue
from stages.prepare.listing import Reason
from stages.prepare.source import SourceFolder, walk_source

ODD = '\u00fc "quoted"\n, name.wav'


def walk(folder: Path, *skip: Path) -> tuple[list[str], dict[str, Reason]]:
    source = walk_source(folder, skip, Catalogue())
    rejects = source.catalogue._connection.execute("SELECT source_path, reason FROM rejects")
    return list(source.files()), {path: Reason(reason) for path, reason in rejects.fetchall()}


def test_every_entry_is_a_file_or_a_reject(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    (root / "b/c").mkdir(parents=True)
    elsewhere.mkdir()
    for name in ("b/c/1.wav", "b.wav", "a.wav", ".hidden.wav", 'b/\u00fc "quoted"\n, name.wav'):
        (root / name).touch()
    (elsewhere / "secret.wav").touch()
    (root / ".git").mkdir()
    (root / ".git/x.wav").touch()
    (root / "to_file.wav").symlink_to(root / "a.wav")
    (root / "to_folder").symlink_to(root / "b")
    (root / "to_nowhere.wav").symlink_to(root / "none.wav")
    (root / "to_itself.wav").symlink_to(root / "to_itself.wav")
    (root / "out.wav").symlink_to(elsewhere / "secret.wav")
    (root / "out").symlink_to(elsewhere)
    os.mkfifo(root / "pipe.wav")
    (root / "to_pipe.wav").symlink_to(root / "pipe.wav")
    files, rejects = walk(root)
    assert files == [
        "a.wav",
        "b.wav",
        "b/c/1.wav",
        'b/\u00fc "quoted"\n, name.wav',
        "to_file.wav",
    ]
    assert rejects == {
        ".git": Reason.HIDDEN,
        ".hidden.wav": Reason.HIDDEN,
        "out": Reason.ESCAPES_FOLDER,
        "out.wav": Reason.ESCAPES_FOLDER,
        "pipe.wav": Reason.UNREADABLE,
        "to_folder": Reason.LINKED_FOLDER,
        "to_itself.wav": Reason.MISSING,
        "to_nowhere.wav": Reason.MISSING,
        "to_pipe.wav": Reason.UNREADABLE,
    }


def test_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/\xff.wav")).touch()
    files, rejects = walk(tmp_path)
    assert files == []
    assert rejects == {"\\xff.wav": Reason.BAD_NAME}


def test_what_is_skipped_is_not_even_rejected(tmp_path: Path) -> None:
    (tmp_path / "workspace/audio").mkdir(parents=True)
    (tmp_path / "workspace/audio/a.flac").touch()
    (tmp_path / "ontology.json").touch()
    (tmp_path / "a.wav").touch()
    (tmp_path / "linked.json").symlink_to("/dev/null")
    skip = [tmp_path / name for name in ("audio/../workspace", "ontology.json", "linked.json")]
    (tmp_path / "audio").mkdir()
    assert walk(tmp_path, *skip) == (["a.wav"], {})


@pytest.fixture
def source(tmp_path: Path) -> SourceFolder:
    (tmp_path / "data/audio/fold1").mkdir(parents=True)
    (tmp_path / "data/audio/fold1/a.wav").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/b.wav").touch()
    (tmp_path / "data/linked").symlink_to(tmp_path / "elsewhere")
    return walk_source(tmp_path / "data", (), Catalogue())


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("audio/fold1/a.wav", "audio/fold1/a.wav"),
        ("audio/../audio/./fold1//a.wav", "audio/fold1/a.wav"),
        ("audio/fold1/b.wav", "audio/fold1/b.wav"),
        ("", "."),
        ("a\0b", "a\0b"),
        ("../elsewhere/b.wav", Reason.ESCAPES_FOLDER),
        ("audio/../../elsewhere/b.wav", Reason.ESCAPES_FOLDER),
        ("..", Reason.ESCAPES_FOLDER),
        ("/etc/passwd", Reason.ESCAPES_FOLDER),
        ("//etc/passwd", Reason.ESCAPES_FOLDER),
        ("linked/b.wav", Reason.ESCAPES_FOLDER),
    ],
)
def test_a_path_of_a_list(source: SourceFolder, path: str, found: str) -> None:
    assert source.inside(path) == found


def test_what_is_there(source: SourceFolder) -> None:
    assert source.has("audio/fold1/a.wav")
    for path in ("audio/fold1/b.wav", "audio/fold1", ".", "a\0b", "linked/b.wav"):
        assert not source.has(path)


def test_many_files_come_in_sorted_order(tmp_path: Path) -> None:
    names = [f"{letter}{number}.wav" for letter in "a\u00e9\U0001f3bb-_Z" for number in range(30)]
    for name in names:
        (tmp_path / name).touch()
    assert walk(tmp_path)[0] == sorted(names)


def test_every_reason_is_documented() -> None:
    """The table in docs/prepare.md says what the code says, in the same order."""
    docs = (Path(__file__).parents[3] / "docs/prepare.md").read_text(encoding="utf-8")
    table = docs.split("| reason | meaning |")[1].split("##")[0]
    rows = [line.split("|")[1].strip(" `") for line in table.splitlines() if line.startswith("| `")]
    assert rows == [reason.value for reason in Reason]
