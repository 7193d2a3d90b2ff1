"""Every kind of damage is found, and nothing else is reported for it."""

import json
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

FIRST, SECOND = "part-00000.parquet", "part-00001.parquet"
NOT_AS_LEFT = "is not as the run that is recorded in lineage/prepare.json left it"
UNKNOWN_TO_CLIPS = "of which clips.parquet does not know"


def flip(path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0x10
    path.write_bytes(content)


def test_a_byte_of_the_audio_is_flipped(workspace) -> None:
    shard = workspace.path / "audio" / FIRST
    encoded = workspace.shard(FIRST)[1][1]
    flip(shard, shard.read_bytes().index(encoded) + len(encoded) // 2)
    assert workspace.problems() == [
        f"audio/{FIRST} row 1: the bytes of the clip 'b' are not those of its audio_sha256"
    ]


def test_a_flipped_byte_that_changes_what_is_read_is_found(workspace) -> None:
    """Wherever in a row group it is: in a page's header, in a clip id, in the audio."""
    shard, rows = workspace.path / "audio" / SECOND, workspace.shard(SECOND)
    whole = shard.read_bytes()
    end = whole.index(rows[0][1]) + 30
    found = 0
    for place in range(4, end, 3):
        flip(shard, place)
        if workspace.check(1).whole:
            assert workspace.shard(SECOND) == rows, place
        else:
            found += 1
        shard.write_bytes(whole)
    assert found > (end - 4) / 3 / 2


def test_a_shard_is_cut_short(workspace) -> None:
    shard = workspace.path / "audio" / FIRST
    shard.write_bytes(shard.read_bytes()[:-100])
    record, cut = workspace.problems()
    assert record == f"audio: {NOT_AS_LEFT}"
    assert cut.startswith(f"audio/{FIRST}: cannot be read as Parquet")
    assert cut.endswith("(3 clips)")


def test_a_shard_is_gone(workspace) -> None:
    (workspace.path / "audio" / SECOND).unlink()
    assert workspace.problems() == [
        f"audio: {NOT_AS_LEFT}",
        f"audio/{SECOND}: does not exist (2 clips)",
    ]


def test_two_rows_are_swapped(workspace) -> None:
    a, b, c = workspace.shard(FIRST)
    workspace.write_shard(FIRST, [b, a, c])
    assert workspace.problems() == [
        f"audio/{FIRST} row 0: holds 'b', not 'a'",
        f"audio/{FIRST} row 1: holds 'a', not 'b'",
    ]


def test_the_audio_of_two_rows_is_swapped(workspace) -> None:
    (a, audio_a), (b, audio_b), c = workspace.shard(FIRST)
    workspace.write_shard(FIRST, [(a, audio_b), (b, audio_a), c])
    assert workspace.problems() == [
        f"audio/{FIRST} row {row}: the bytes of the clip '{name}' are not those of its audio_sha256"
        for row, name in enumerate("ab")
    ]


def test_a_row_more_and_a_row_less(workspace) -> None:
    workspace.write_shard(FIRST, [*workspace.shard(FIRST), ("x", b"fLaC")])
    workspace.write_shard(SECOND, workspace.shard(SECOND)[:1])
    assert workspace.problems() == [
        f"audio/{FIRST} row 3: holds 'x', {UNKNOWN_TO_CLIPS}",
        f"audio/{SECOND} row 1: the clip 'e' is not there: the shard has 1 rows",
    ]


def test_a_shard_more(workspace) -> None:
    workspace.write_shard("part-00002.parquet", workspace.shard(SECOND))
    (workspace.path / "audio" / "notes.txt").write_text("mine", encoding="utf-8")
    record, *extra = workspace.problems()
    assert record == f"audio: {NOT_AS_LEFT}"
    assert extra == [
        f"audio/{name}: no clip of clips.parquet is in it"
        for name in ("notes.txt", "part-00002.parquet")
    ]


def test_a_shard_that_is_none(workspace) -> None:
    labels = (workspace.path / "labels.parquet").read_bytes()
    (workspace.path / "audio" / SECOND).write_bytes(labels)
    workspace.record()
    assert workspace.problems() == [
        f"audio/{SECOND}: is a 'labels' artifact; 'audio' is needed (2 clips)"
    ]


def test_a_shard_outside_the_folder_is_not_opened(workspace) -> None:
    shard = workspace.path / "audio" / SECOND
    shard.rename(workspace.path / SECOND)
    workspace.edit("clips", lambda clips: clips.update(shard=[FIRST] * 3 + [f"../{SECOND}"] * 2))
    assert workspace.problems() == [f"audio/../{SECOND}: does not exist (2 clips)"]


@pytest.mark.parametrize(
    ("kwargs", "found"),
    [
        ({"channels": 2}, "row 1: the clip 'b' cannot be decoded: 2 channels"),
        ({"encoding": "AIFF"}, "row 1: the clip 'b' cannot be decoded: neither FLAC nor WAV"),
        ({"sample_rate": 4000}, "row 1: 4000 Hz, where others have 8000 Hz"),
    ],
    ids=["stereo", "AIFF", "another rate"],
)
def test_audio_of_another_kind(workspace, encode, kwargs, found) -> None:
    workspace.store(FIRST, 1, encode("b", **kwargs))
    assert workspace.problems() == [f"audio/{FIRST} {found}"]


def test_wav_is_as_good(workspace, encode) -> None:
    workspace.store(FIRST, 1, encode("b", encoding="WAV"))
    assert workspace.problems() == []


def test_audio_that_cannot_be_decoded_though_it_is_what_was_stored(workspace, encode) -> None:
    workspace.store(FIRST, 1, b"fLaC and no more")
    workspace.store(SECOND, 0, encode("d")[:-40])
    first, second = workspace.problems()
    assert first.startswith(f"audio/{FIRST} row 1: the clip 'b' cannot be decoded")
    assert second.startswith(f"audio/{SECOND} row 0: the clip 'd' ")


def test_a_length_that_is_not_that_of_the_audio(workspace) -> None:
    workspace.edit("clips", lambda clips: clips["duration_seconds"].__setitem__(2, 5.0))
    assert workspace.problems() == [
        f"audio/{FIRST} row 2: the clip 'c' holds 0.12 s, not 5 s",
    ]


def test_a_length_that_is_no_number(workspace) -> None:
    workspace.edit("clips", lambda clips: clips["duration_seconds"].__setitem__(2, float("nan")))
    assert workspace.problems() == [
        f"audio/{FIRST} row 2: the clip 'c' holds 0.12 s, not nan s",
    ]
    assert math.isfinite(workspace.check().hours)


def test_a_label_index_that_is_wrong(workspace) -> None:
    workspace.edit("clips", lambda clips: clips["label_indices"].__setitem__(1, [0]))
    assert workspace.problems() == [
        "clips.parquet: label_indices [0] and mids ['/t/high'] of 'b' do not agree with labels.parquet",
        "labels.parquet: clips_train of '/t/low' is 1; clips.parquet has 2",
        "labels.parquet: clips_train of '/t/high' is 2; clips.parquet has 1",
    ]


@pytest.mark.parametrize("indices", [[7], [-1], [1, 0], [0, 1, 1]])
def test_label_indices_that_are_no_positions_in_order(workspace, indices) -> None:
    workspace.edit("clips", lambda clips: clips["label_indices"].__setitem__(0, indices))
    assert f"clips.parquet: label_indices {indices} and" in workspace.problems()[0]


def test_a_clip_id_twice(workspace) -> None:
    workspace.edit("clips", lambda clips: clips["clip_id"].__setitem__(1, "a"))
    assert workspace.problems() == [
        "clips.parquet: the clip id 'a' occurs 2 times",
        f"audio/{FIRST} row 1: holds 'b', not 'a'",
    ]


def test_a_clip_listed_twice(workspace) -> None:
    def repeat(clips) -> None:
        for column in clips.values():
            column.append(column[4])

    workspace.edit("clips", repeat)
    assert workspace.problems() == [
        "labels.parquet: clips_eval of '/t/low' is 1; clips.parquet has 2",
        "clips.parquet: the clip id 'e' occurs 2 times",
        f"audio/{SECOND} row 1: two clips are said to be here: 'e' and 'e'",
    ]


def test_a_clip_is_gone_from_the_list(workspace) -> None:
    def drop(clips) -> None:
        for column in clips.values():
            del column[4]

    workspace.edit("clips", drop)
    assert workspace.problems() == [
        "labels.parquet: clips_eval of '/t/low' is 1; clips.parquet has 0",
        f"audio/{SECOND} row 1: holds 'e', {UNKNOWN_TO_CLIPS}",
    ]


def test_a_split_that_is_none(workspace) -> None:
    workspace.edit("clips", lambda clips: clips["split"].__setitem__(0, "test"))
    assert "clips.parquet: 1 clips are in the split 'test', not train, valid, eval" in (
        workspace.problems()
    )


def test_a_count_that_was_tampered_with(workspace) -> None:
    workspace.edit("labels", lambda labels: labels["clips_valid"].__setitem__(1, 3))
    assert workspace.problems() == [
        "labels.parquet: clips_valid of '/t/high' is 3; clips.parquet has 0"
    ]


def test_labels_out_of_order_twice_and_unknown_to_the_ontology(workspace) -> None:
    def damage(labels) -> None:
        labels["label_index"] = [0, 2]
        labels["mid"] = ["/t/other", "/t/other"]

    workspace.edit("labels", damage)
    problems = workspace.problems()
    assert problems[:3] == [
        "labels.parquet: row 1 ('/t/other') has the label_index 2",
        "labels.parquet: the label '/t/other' occurs 2 times",
        "ontology.duckdb: the ontology has no node '/t/other' (2 of 2 unknown)",
    ]


def test_an_unknown_reason(workspace) -> None:
    workspace.edit("rejects", lambda rejects: rejects.update(reason=["bored"]))
    assert workspace.problems() == [
        "rejects.parquet: unknown reason 'bored' in 1 rows, such as 'readme.txt'"
    ]


def test_a_table_that_was_edited_after_the_run(workspace) -> None:
    record = (workspace.path / "lineage" / "prepare.json").read_bytes()
    workspace.edit("clips", lambda clips: clips.update(fold=[1, 2, 3, 4, 5]))
    (workspace.path / "lineage" / "prepare.json").write_bytes(record)
    assert workspace.problems() == [f"clips.parquet: {NOT_AS_LEFT}"]


@pytest.mark.parametrize("content", [None, "no JSON", "[]", json.dumps({"outputs": {}})])
def test_a_record_that_is_missing_or_none(workspace, content) -> None:
    path = workspace.path / "lineage" / "prepare.json"
    path.unlink()
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert workspace.problems() == [
        "lineage/prepare.json: is missing or no record: the last run was not finished"
    ]


@pytest.mark.parametrize("name", ["clips.parquet", "labels.parquet", "rejects.parquet"])
def test_a_table_that_is_gone_cut_short_or_another(workspace, name) -> None:
    path = workspace.path / name
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert any(
        line.startswith(f"{name}: cannot be read as Parquet") for line in workspace.problems()
    )
    path.write_bytes((workspace.path / "audio" / FIRST).read_bytes())
    kind = name.removesuffix(".parquet")
    assert f"{name}: is a 'audio' artifact; '{kind}' is needed" in workspace.problems()
    path.unlink()
    assert workspace.problems() == [f"{name}: does not exist"]


def test_a_value_that_is_missing(workspace) -> None:
    path = workspace.path / "clips.parquet"
    table = pq.read_table(path)
    fields = [field.with_nullable(True) for field in table.schema]
    columns = table.to_pydict()
    columns["row"][3] = None
    schema = pa.schema(fields, metadata=table.schema.metadata)
    pq.write_table(pa.Table.from_pydict(columns, schema), path)
    workspace.record()
    assert workspace.problems() == ["clips.parquet: lacks values in the column 'row'"]


def test_an_ontology_that_is_gone_or_none(workspace) -> None:
    path = workspace.path / "ontology.duckdb"
    path.write_bytes(b"not a database" * 1000)
    workspace.record()
    assert workspace.problems()[0].startswith("ontology.duckdb: cannot be opened")
    path.unlink()
    assert workspace.problems() == ["ontology.duckdb: was not found"]


def test_the_audio_folder_is_gone(workspace) -> None:
    (workspace.path / "audio").rename(workspace.path / "elsewhere")
    assert workspace.problems() == [
        f"audio/{FIRST}: does not exist (3 clips)",
        f"audio/{SECOND}: does not exist (2 clips)",
    ]


def test_many_problems_are_counted_and_the_first_are_named(workspace) -> None:
    folder = workspace.path / "audio"
    for i in range(30):
        (folder / f"extra-{i:02}").touch()
    summary = workspace.check()
    assert summary.problem_count == 31
    assert len(summary.problems) == 20
    assert summary.problems[-1].where == "audio/extra-18"
    assert not summary.whole
