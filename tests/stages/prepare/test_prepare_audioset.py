"""AudioSet's segment lists: Google's own, and what can be wrong in them."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.errors import ArtifactError
from stages.prepare.catalogue import Catalogue
from stages.prepare.layouts import audioset
from stages.prepare.layouts.detect import choose_layout
from stages.prepare.listing import ListedClip, Reason
from stages.prepare.source import SourceFolder, walk_source

Make = Callable[..., SourceFolder]
Find = Callable[..., tuple[list[ListedClip], dict[str, Reason]]]

HEADER = (
    "# Segments csv created Sun Mar  5 10:54:31 2017\n"
    "# num_ytids=3, num_segs=3, num_unique_labels=3, num_positive_labels=4\n"
    "# YTID, start_seconds, end_seconds, positive_labels\n"
)


def test_audioset(make_source: Make, find: Find) -> None:
    rows = (
        '--PJHxphWEs, 30.000, 40.000, "/m/09x0r,/t/dd00088"\n'
        '-absent_123, 0.000, 10.000, "/m/09x0r"\n'
        'Yaaaaaaaaaa, 0.000, 10.000, "/m/05tny_"\n'
        '-unknown_12, 0.000, 10.000, "/m/09x0r,/m/unheard"\n'
        '-nolabel_12, 0.000, 10.000, ""\n'
        "-malformed1, 0.000\n"
        '--PJHxphWEs, 30.000, 40.000, "/m/09x0r"\n'
        '-malformed2, 10.000, 10.000, "/m/09x0r"\n'
        '-malformed3, x, 10.000, "/m/09x0r"\n'
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
    clips, reasons = find(source, audioset.scan(source))
    assert [
        (clip.clip_id, clip.path, clip.labels, clip.split, clip.start_seconds, clip.end_seconds)
        for clip in clips
    ] == [
        ("--PJHxphWEs", audio[0], ("/m/09x0r", "/t/dd00088"), "train", 30, 40),
        ("Yaaaaaaaaaa", audio[1], ("/m/05tny_",), "train", 0, 10),
    ]
    assert reasons == {
        f"{table}:5": Reason.MISSING,
        audio[3]: Reason.UNKNOWN_LABEL,
        f"{table}:8": Reason.NO_LABEL,
        f"{table}:9": Reason.MALFORMED_ROW,
        f"{table}:10": Reason.DUPLICATE_ID,
        f"{table}:11": Reason.MALFORMED_ROW,
        f"{table}:12": Reason.MALFORMED_ROW,
        audio[2]: Reason.DUPLICATE_ID,
        audio[4]: Reason.NOT_LISTED,
        audio[5]: Reason.NOT_AUDIO,
    }


@pytest.mark.parametrize(
    "name",
    [
        "{id}",
        "Y{id}",
        "{id}_30",
        "Y{id}_30.000",
        "{id}_30000",
        "{id}_30_40",
        "Y{id}_30.000_40.000",
        "{id}_30000_40000",
        "a/b c/Y{id}_030_040",
    ],
)
@pytest.mark.parametrize("youtube_id", ["--PJHxphWEs", "Y_30_40_abc", "abc_30_4000", "x_1", "_30"])
def test_names_of_files(make_source: Make, find: Find, name: str, youtube_id: str) -> None:
    row = f'{youtube_id}, 30.000, 40.000, "/m/09x0r"\n'
    path = name.format(id=youtube_id) + ".m4a"
    clips, reasons = find(
        source := make_source(**{"eval_segments.csv": row, path: ""}), audioset.scan(source)
    )
    assert [(clip.clip_id, clip.path) for clip in clips] == [(youtube_id, path)]
    assert reasons == {}


@pytest.mark.parametrize(
    "name", ["{id}_31", "{id}_30_41", "{id}_30_40000", "Z{id}", "{id}_30_40_50"]
)
def test_a_file_of_another_segment_is_not_taken(make_source: Make, find: Find, name: str) -> None:
    row = 'abcdefghijk, 30.000, 40.000, "/m/09x0r"\n'
    path = name.format(id="abcdefghijk") + ".wav"
    clips, reasons = find(
        source := make_source(**{"eval_segments.csv": row, path: ""}), audioset.scan(source)
    )
    assert clips == []
    assert reasons == {"eval_segments.csv:1": Reason.MISSING, path: Reason.NOT_LISTED}


def test_several_segments_of_one_video(make_source: Make, find: Find) -> None:
    rows = "".join(f'abcdefghijk, {start}, {start + 10}, "/m/09x0r"\n' for start in (0, 10.5, 60))
    source = make_source(
        **{"train_segments.csv": rows, "abcdefghijk.webm": "", "abcdefghijk_60_70.wav": ""}
    )
    clips, reasons = find(source, audioset.scan(source))
    assert [(clip.clip_id, clip.path, clip.recording_id) for clip in clips] == [
        ("abcdefghijk_0", "abcdefghijk.webm", "abcdefghijk"),
        ("abcdefghijk_10500", "abcdefghijk.webm", "abcdefghijk"),
        ("abcdefghijk_60000", "abcdefghijk_60_70.wav", "abcdefghijk"),
    ]
    assert reasons == {}


def test_audiosets_own_lists(shared: Path, find: Find) -> None:
    source = walk_source(shared / "data/audioset", (), Catalogue())
    clips, reasons = find(source, audioset.scan(source))
    assert clips == []
    assert Counter(reasons.values()) == {Reason.MISSING: 20_371 + 22_160, Reason.NOT_AUDIO: 1}


def test_the_carried_label_list_is_the_published_one(shared: Path) -> None:
    folder = shared / "data/audioset"
    published = audioset.scan(walk_source(folder, (), Catalogue())).label_list
    skipped = (folder / "class_labels_indices.csv",)
    carried = audioset.scan(walk_source(folder, skipped, Catalogue())).label_list
    assert published is not None
    assert len(published) == 527
    assert carried == published


def test_a_segment_of_two_lists_is_held_out(make_source: Make, find: Find) -> None:
    row = 'aaaaaaaaaaa, 0, 10, "/m/09x0r"\n'
    lists = ("a_train_segments.csv", "valid_segments.csv", "z_eval_segments.csv")
    source = make_source(**dict.fromkeys(lists, row), **{"aaaaaaaaaaa.wav": ""})
    clips, reasons = find(source, audioset.scan(source))
    assert [clip.split for clip in clips] == ["eval"]
    assert reasons == {
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


def test_a_name_that_says_more_is_taken_first(make_source: Make, find: Find) -> None:
    source = make_source(
        **{
            "eval_segments.csv": 'abc, 0, 10, "/m/09x0r"\nabc, 1e17, 1e18, "/m/09x0r"\n',
            "abc_0.wav": "",
            "abc_0_10000.wav": "",
        }
    )
    clips, reasons = find(source, audioset.scan(source))
    assert [clip.path for clip in clips] == ["abc_0_10000.wav"]
    assert reasons == {
        "abc_0.wav": Reason.DUPLICATE_ID,
        "eval_segments.csv:2": Reason.MALFORMED_ROW,
    }
