"""What a layout finds in folders that look like the published data sets, and which one is taken."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stages.errors import ArtifactError, UsageError
from stages.prepare.layouts import folder, metadata
from stages.prepare.layouts.detect import choose_layout
from stages.prepare.listing import Clip, Listing, Reason
from stages.prepare.source import SourceFolder, walk_source

Make = Callable[..., SourceFolder]


def reasons(listing: Listing) -> dict[str, Reason]:
    found = {reject.source_path: reject.reason for reject in listing.rejects}
    assert len(found) == len(listing.rejects)
    return found


# --- folder


def test_esc10_as_published(shared: Path) -> None:
    listing = folder.scan(walk_source(shared / "data/esc10", ()))
    assert len(listing.clips) == 400
    assert listing.class_map == "esc50"
    assert listing.clips[0] == Clip(
        clip_id="1-100032-A",
        path="001 - Dog bark/1-100032-A.ogg",
        labels=("Dog bark",),
        recording_id="100032",
        fold=1,
    )
    assert {clip.fold for clip in listing.clips} == {1, 2, 3, 4, 5}
    assert reasons(listing) == {"README.md": Reason.NOT_AUDIO, "README.txt": Reason.NOT_AUDIO}


def test_folders_of_ones_own(make_source: Make) -> None:
    files = ("dog/a.wav", "dog/b/a.flac", "dog/b/a.ogg", "cat/b.x", "cat/notes.TXT", "lost.wav")
    listing = folder.scan(make_source(**dict.fromkeys(files, "")))
    assert [(clip.clip_id, clip.path, clip.labels) for clip in listing.clips] == [
        ("b", "cat/b.x", ("cat",)),
        ("dog/a", "dog/a.wav", ("dog",)),
        ("dog/b/a.flac", "dog/b/a.flac", ("dog",)),
        ("dog/b/a.ogg", "dog/b/a.ogg", ("dog",)),
    ]
    assert {clip.fold for clip in listing.clips} == {None}
    assert [clip.recording_id for clip in listing.clips] == ["b", "a", "a", "a"]
    assert listing.class_map is None
    assert reasons(listing) == {"cat/notes.TXT": Reason.NOT_AUDIO, "lost.wav": Reason.NO_LABEL}


def test_clip_ids_are_unique(make_source: Make) -> None:
    files = ("x/a.wav", "x/a.flac", "x/a.wav.ogg", "y/a.wav.ogg", "y/b.wav")
    listing = folder.scan(make_source(**dict.fromkeys(files, "")))
    ids = [clip.clip_id for clip in listing.clips]
    assert len(set(ids)) == len(ids) == 5


# --- metadata


def test_urbansound8k_as_published(shared: Path) -> None:
    listing = metadata.scan(walk_source(shared / "data/urbansound8k", ()))
    assert len(listing.clips) == 1761
    assert listing.class_map == "urbansound8k"
    assert listing.clips[0] == Clip(
        clip_id="101415-3-0-2",
        path="audio/fold1/101415-3-0-2.ogg",
        labels=("dog_bark",),
        recording_id="101415",
        fold=1,
    )
    assert reasons(listing) == {}


def test_esc50(make_source: Make) -> None:
    rows = (
        "filename,fold,target,category,esc10,src_file,take\n"
        "1-100032-A-0.wav,1,0,dog,True,100032,A\n"
        "2-7-B-36.wav,2,36,vacuum_cleaner,False,7,B\n"
    )
    files = {"meta/esc50.csv": rows, "audio/1-100032-A-0.wav": "", "audio/2-7-B-36.wav": ""}
    source = make_source(**files, **{"esc50.png": "", "audio/3-1-A-1.wav": ""})
    assert choose_layout(source, "auto").name == "metadata"
    listing = metadata.scan(source)
    assert listing.class_map == "esc50"
    assert [(clip.labels, clip.fold, clip.recording_id) for clip in listing.clips] == [
        (("dog",), 1, "100032"),
        (("vacuum_cleaner",), 2, "7"),
    ]
    assert reasons(listing) == {
        "audio/3-1-A-1.wav": Reason.NOT_LISTED,
        "esc50.png": Reason.NOT_AUDIO,
    }


def test_rows_that_give_no_clip(make_source: Make) -> None:
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
    listing = metadata.scan(make_source(**{table: "\n".join(rows)}, **audio))
    assert [clip.path for clip in listing.clips] == ["audio/fold1/a.wav"]
    assert reasons(listing) == {
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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no column 'filename'"),
        (b"filename,fold,target\n", "has no column 'category'"),
        (b"filename,fold,category,src_file\n\xff\xfe", "is no UTF-8 text"),
        (b"filename,fold,category,src_file\n" + b"x" * 200_000, "line 2 is no CSV"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta/esc50.csv").write_bytes(content)
    with pytest.raises(ArtifactError, match=said):
        metadata.scan(walk_source(tmp_path, ()))


# --- which layout


def test_a_folder_of_no_known_layout(make_source: Make) -> None:
    source = make_source(**{"a.wav": "", "docs/readme.txt": ""})
    with pytest.raises(UsageError) as raised:
        choose_layout(source, "auto")
    for looked_for in ("meta/esc50.csv", "*_segments.csv", "a folder a class"):
        assert looked_for in raised.value.message


def test_a_layout_that_is_named_is_the_only_one(make_source: Make) -> None:
    source = make_source(
        **{
            "dog/a.wav": "",
            "eval_segments.csv": "# YTID, start_seconds, end_seconds, positive_labels\n",
        }
    )
    assert choose_layout(source, "auto").name == "audioset"
    assert choose_layout(source, "folder").name == "folder"
    with pytest.raises(UsageError, match=r"found no metadata/UrbanSound8K.csv or .* \(metadata\)$"):
        choose_layout(source, "metadata")
