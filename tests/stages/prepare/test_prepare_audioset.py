"""AudioSet's segment lists: Google's own, and what can be wrong in them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stages.errors import ArtifactError
from stages.prepare.layouts import audioset
from stages.prepare.layouts.detect import choose_layout
from stages.prepare.listing import Listing, Reason
from stages.prepare.source import SourceFolder, walk_source

Make = Callable[..., SourceFolder]


def reasons(listing: Listing) -> dict[str, Reason]:
    found = {reject.source_path: reject.reason for reject in listing.rejects}
    assert len(found) == len(listing.rejects)
    return found


HEADER = (
    "# Segments csv created Sun Mar  5 10:54:31 2017\n"
    "# num_ytids=3, num_segs=3, num_unique_labels=3, num_positive_labels=4\n"
    "# YTID, start_seconds, end_seconds, positive_labels\n"
)


def test_audioset(make_source: Make) -> None:
    rows = (
        '--PJHxphWEs, 30.000, 40.000, "/m/09x0r,/t/dd00088"\n'
        '-absent_123, 0.000, 10.000, "/m/09x0r"\n'
        'Yaaaaaaaaaa, 0.000, 10.000, "/m/05tny_"\n'
        '-unknown_12, 0.000, 10.000, "/m/09x0r,/m/unheard"\n'
        '-nolabel_12, 0.000, 10.000, ""\n'
        "-malformed1, 0.000\n"
        '--PJHxphWEs, 30.000, 40.000, "/m/09x0r"\n'
    )
    audio = (
        "wav/00/Y--PJHxphWEs.wav",
        "wav/00/Yaaaaaaaaaa.flac",
        "wav/01/Yaaaaaaaaaa.wav",
        "wav/01/-unknown_12.wav",
        "wav/01/-unlisted_1.wav",
        "wav/01/--PJHxphWEs.json",
    )
    table = "csv/balanced_train_segments.csv"
    source = make_source(**{table: HEADER + rows}, **dict.fromkeys(audio, ""))
    assert choose_layout(source, "auto").name == "audioset"
    listing = audioset.scan(source)
    assert [(clip.clip_id, clip.path, clip.labels, clip.split) for clip in listing.clips] == [
        ("--PJHxphWEs", audio[0], ("/m/09x0r", "/t/dd00088"), "train"),
        ("Yaaaaaaaaaa", audio[1], ("/m/05tny_",), "train"),
    ]
    assert reasons(listing) == {
        f"{table}:5": Reason.MISSING,
        f"{table}:7": Reason.UNKNOWN_LABEL,
        f"{table}:8": Reason.NO_LABEL,
        f"{table}:9": Reason.MALFORMED_ROW,
        f"{table}:10": Reason.DUPLICATE_ID,
        audio[2]: Reason.DUPLICATE_ID,
        audio[4]: Reason.NOT_LISTED,
        audio[5]: Reason.NOT_AUDIO,
    }


def test_audiosets_own_lists(shared: Path) -> None:
    listing = audioset.scan(walk_source(shared / "data/audioset", ()))
    assert listing.clips == []
    found = [reject.reason for reject in listing.rejects]
    assert found.count(Reason.MISSING) == 20_371 + 22_160
    assert set(found) == {Reason.MISSING, Reason.NOT_AUDIO}


def test_the_carried_label_list_is_the_published_one(shared: Path) -> None:
    published = audioset.scan(walk_source(shared / "data/audioset", ())).label_list
    skipped = (shared / "data/audioset/class_labels_indices.csv",)
    carried = audioset.scan(walk_source(shared / "data/audioset", skipped)).label_list
    assert published is not None
    assert len(published) == 527
    assert carried == published


def test_a_segment_of_two_lists_is_held_out(make_source: Make) -> None:
    row = 'aaaaaaaaaaa, 0, 10, "/m/09x0r"\n'
    lists = ("a_train_segments.csv", "valid_segments.csv", "z_eval_segments.csv")
    source = make_source(**dict.fromkeys(lists, row), **{"aaaaaaaaaaa.wav": ""})
    listing = audioset.scan(source)
    assert [clip.split for clip in listing.clips] == ["eval"]
    assert reasons(listing) == {
        "valid_segments.csv:1": Reason.DUPLICATE_ID,
        "a_train_segments.csv:1": Reason.DUPLICATE_ID,
    }


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("eval_segments.csv", "eval"),
        ("x/Test_segments.csv", "eval"),
        ("test/unbalanced_train_segments.csv", "train"),
        ("valid_segments.csv", "valid"),
        ("dev_segments.csv", "valid"),
        ("latest_segments.csv", "train"),
    ],
)
def test_the_split_of_a_list(name: str, split: str) -> None:
    assert audioset.split_of(name) == split


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("index,mid\n0,/m/a\n", "has no column 'display_name'"),
        ("index,mid,display_name\n", "has no labels"),
        ("index,mid,display_name\n1,/m/a,A\n", "line 2 has the index '1', not 0"),
        ("index,mid,display_name\n0,/m/a,A\n1,/m/a,B\n", "line 3: the mid '/m/a' is"),
        ("index,mid,display_name\n0,/m/a\n", "line 2 has too few fields"),
    ],
)
def test_a_label_list_that_is_none(make_source: Make, rows: str, said: str) -> None:
    source = make_source(**{"class_labels_indices.csv": rows, "eval_segments.csv": HEADER})
    with pytest.raises(ArtifactError, match=said):
        audioset.scan(source)
