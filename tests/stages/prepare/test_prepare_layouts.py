"""What a layout finds in folders that look like the published data sets, and which one is taken."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.errors import ArtifactError, UsageError
from stages.prepare.catalogue import Catalogue
from stages.prepare.layouts import folder, metadata
from stages.prepare.layouts.detect import choose_layout
from stages.prepare.listing import ListedClip, Reason
from stages.prepare.repeats import Repeats
from stages.prepare.source import SourceFolder, walk_source

Make = Callable[..., SourceFolder]
Find = Callable[..., tuple[list[ListedClip], dict[str, Reason]]]


# --- folder


def test_esc10_as_published(shared: Path, find: Find) -> None:
    source = walk_source(shared / "data/esc10", (), Catalogue())
    listing = folder.scan(source)
    clips, reasons = find(source, listing)
    assert len(clips) == 400
    assert listing.class_map == "esc50"
    assert clips[0] == ListedClip(
        clip_id="1-100032-A",
        path="001 - Dog bark/1-100032-A.ogg",
        where="001 - Dog bark/1-100032-A.ogg",
        labels=("Dog bark",),
        recording_id="100032",
        fold=1,
    )
    assert {clip.fold for clip in clips} == {1, 2, 3, 4, 5}
    assert reasons == {"README.md": Reason.NOT_AUDIO, "README.txt": Reason.NOT_AUDIO}


def test_folders_of_ones_own(make_source: Make, find: Find) -> None:
    files = ("dog/a.wav", "dog/b/a.flac", "dog/b/a.ogg", "cat/b.x", "cat/notes.TXT", "lost.wav")
    source = make_source(**dict.fromkeys(files, ""))
    listing = folder.scan(source)
    clips, reasons = find(source, listing)
    assert [(clip.clip_id, clip.path, clip.labels) for clip in clips] == [
        ("b", "cat/b.x", ("cat",)),
        ("dog/a.wav", "dog/a.wav", ("dog",)),
        ("dog/b/a.flac", "dog/b/a.flac", ("dog",)),
        ("dog/b/a.ogg", "dog/b/a.ogg", ("dog",)),
    ]
    assert {clip.fold for clip in clips} == {None}
    assert [clip.recording_id for clip in clips] == ["b", "a", "a", "a"]
    assert listing.class_map is None
    assert reasons == {"cat/notes.TXT": Reason.NOT_AUDIO, "lost.wav": Reason.NO_LABEL}


def test_clip_ids_are_unique(make_source: Make, find: Find) -> None:
    files = ("x/a.wav", "x/a.flac", "x/a.wav.ogg", "y/a.wav.ogg", "y/b.wav")
    source = make_source(**dict.fromkeys(files, ""))
    clips, reasons = find(source, folder.scan(source))
    assert len({clip.clip_id for clip in clips}) == len(clips) == 5
    assert reasons == {}


@given(st.lists(st.text(max_size=3)))
def test_repeats_are_the_names_that_are_there_twice(names: list[str]) -> None:
    repeats = Repeats(names)
    counts = Counter(names)
    assert {name for name in [*names, "elsewhere"] if name in repeats} == {
        name for name, count in counts.items() if count > 1
    }


# --- metadata


def test_urbansound8k_as_published(shared: Path, find: Find) -> None:
    source = walk_source(shared / "data/urbansound8k", (), Catalogue())
    listing = metadata.scan(source)
    clips, reasons = find(source, listing)
    assert len(clips) == 1761
    assert listing.class_map == "urbansound8k"
    assert clips[0] == ListedClip(
        clip_id="101415-3-0-2",
        path="audio/fold1/101415-3-0-2.ogg",
        where="metadata/UrbanSound8K.csv:2",
        labels=("dog_bark",),
        recording_id="101415",
        fold=1,
    )
    assert reasons == {}


def test_esc50(make_source: Make, find: Find) -> None:
    rows = (
        "filename,fold,target,category,esc10,src_file,take\n"
        "1-100032-A-0.wav,1,0,dog,True,100032,A\n"
        "2-7-B-36.wav,2,36,vacuum_cleaner,False,7,B\n"
    )
    files = {"meta/esc50.csv": rows, "audio/1-100032-A-0.wav": "", "audio/2-7-B-36.wav": ""}
    source = make_source(**files, **{"esc50.png": "", "audio/3-1-A-1.wav": ""})
    assert choose_layout(source, "auto").name == "metadata"
    listing = metadata.scan(source)
    clips, reasons = find(source, listing)
    assert listing.class_map == "esc50"
    assert [(clip.labels, clip.fold, clip.recording_id) for clip in clips] == [
        (("dog",), 1, "100032"),
        (("vacuum_cleaner",), 2, "7"),
    ]
    assert reasons == {"audio/3-1-A-1.wav": Reason.NOT_LISTED, "esc50.png": Reason.NOT_AUDIO}


def test_rows_that_give_no_clip(make_source: Make, find: Find) -> None:
    rows = [
        "slice_file_name,fsID,start,end,salience,fold,classID,class",
        "a.wav,1,0,1,1,1,3,dog_bark",
        "a.wav,1,0,1,1,2,3,dog_bark",
        "../../../etc/passwd,1,0,1,1,1,3,dog_bark",
        "/etc/passwd,1,0,1,1,1,3,dog_bark",
        "none.wav,1,0,1,1,1,3,dog_bark",
        "b.wav,1,0,1,1,1,3,",
        "c.wav,1,0,1,1,-1,3,dog_bark",
        "c.wav,1,0,1,1,\u0661,3,dog_bark",
        "c.wav,1",
        ",1,0,1,1,1,3,dog_bark",
        "a.wav,1,0,1,1,1,3,dog_bark",
    ]
    audio = dict.fromkeys(
        ("audio/fold1/a.wav", "audio/fold2/a.wav", "audio/fold1/b.wav", "audio/fold1/c.wav"), ""
    )
    table = "metadata/UrbanSound8K.csv"
    source = make_source(**{table: "\n".join(rows)}, **audio)
    clips, reasons = find(source, metadata.scan(source))
    assert [clip.path for clip in clips] == ["audio/fold1/a.wav"]
    assert reasons == {
        "audio/fold2/a.wav": Reason.DUPLICATE_ID,
        f"{table}:4": Reason.ESCAPES_FOLDER,
        # A list's path is relative to its audio folder, whatever it begins with.
        f"{table}:5": Reason.MISSING,
        f"{table}:6": Reason.MISSING,
        "audio/fold1/b.wav": Reason.NO_LABEL,
        f"{table}:8": Reason.MALFORMED_ROW,
        f"{table}:9": Reason.MALFORMED_ROW,
        f"{table}:10": Reason.MALFORMED_ROW,
        f"{table}:11": Reason.MALFORMED_ROW,
        f"{table}:12": Reason.DUPLICATE_ID,
        "audio/fold1/c.wav": Reason.NOT_LISTED,
    }


def test_a_broken_line_costs_that_line(tmp_path: Path, find: Find) -> None:
    (tmp_path / "meta").mkdir()
    (tmp_path / "audio").mkdir()
    for name in ("a.wav", "b.wav"):
        (tmp_path / "audio" / name).touch()
    lines = [b"filename,fold,category,src_file", b"a.wav,1,dog,1", b"\xff\xfe,1,dog,1"]
    lines += [b"x" * 200_000 + b",1,dog,1", b"b.wav\0,1,dog,1", b"b.wav,1,dog,1"]
    (tmp_path / "meta/esc50.csv").write_bytes(b"\n".join(lines))
    source = walk_source(tmp_path, (), Catalogue())
    clips, reasons = find(source, metadata.scan(source))
    assert [clip.where for clip in clips] == ["meta/esc50.csv:2", "meta/esc50.csv:6"]
    assert reasons == {f"meta/esc50.csv:{line}": Reason.MALFORMED_ROW for line in (3, 4, 5)}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no column 'filename'"),
        (b"\xff\xfef\0i\0", "has no column 'filename'"),
        (b"filename,fold,target\n", "has no column 'category'"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta/esc50.csv").write_bytes(content)
    listing = metadata.scan(walk_source(tmp_path, (), Catalogue()))
    with pytest.raises(ArtifactError, match=said):
        list(listing.found)


# --- which layout


def test_a_folder_of_no_known_layout(make_source: Make) -> None:
    source = make_source(
        **{"a.wav": "", "docs/readme.txt": "", "a.parquet": "x", "b.csv": "path\n"}
    )
    with pytest.raises(UsageError) as raised:
        choose_layout(source, "auto")
    looks_for = ("meta/esc50.csv", "vocabulary.csv", "*_segments.csv", "manifest.csv", "*.parquet")
    for looked_for in (*looks_for, "a folder a class"):
        assert looked_for in raised.value.message


def test_a_layout_that_is_named_is_the_only_one(make_source: Make) -> None:
    source = make_source(
        **{
            "dog/a.wav": "",
            "manifest.csv": "path,labels\n",
            "eval_segments.csv": "# YTID, start_seconds, end_seconds, positive_labels\n",
        }
    )
    assert choose_layout(source, "auto").name == "audioset"
    assert choose_layout(source, "manifest").name == "manifest"
    assert choose_layout(source, "folder").name == "folder"
    with pytest.raises(
        UsageError, match=r"found none of these: metadata/UrbanSound8K.csv or .* \(metadata\)$"
    ):
        choose_layout(source, "metadata")
