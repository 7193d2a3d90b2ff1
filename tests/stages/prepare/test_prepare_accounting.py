"""Nothing is lost: twins, short clips, parts of files, odd names; and finished shards are kept."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from stages.artifacts import read_parquet
from stages.audio.store import AudioStore
from stages.check.run import run as check_workspace
from stages.check.settings import CheckSettings
from stages.pipeline import PREPARE
from stages.prepare import run as prepare_run
from stages.prepare.settings import PrepareSettings, PrepareSummary
from stages.reporter import QuietReporter
from stages.runner import run_stage

Prepare = Callable[..., PrepareSummary]
WriteTone = Callable[[Path], None]


def rows(workspace: Path, kind: str) -> list[dict[str, Any]]:
    return read_parquet(workspace / f"{kind}.parquet", kind).to_pylist()


def test_the_same_content_under_two_names(
    tmp_path: Path, prepare: Prepare, write_tone: WriteTone
) -> None:
    for number in range(20):
        write_tone(tmp_path / f"data/dog/{number:02}.wav")
    shutil.copyfile(tmp_path / "data/dog/03.wav", tmp_path / "data/dog/copy.wav")
    (tmp_path / "data/cat").mkdir()
    shutil.copyfile(tmp_path / "data/dog/05.wav", tmp_path / "data/cat/05.wav")
    prepare(tmp_path / "data", valid_share=0)
    workspace = tmp_path / "workspace"
    rejects = {
        row["source_path"]: (row["reason"], row["detail"]) for row in rows(workspace, "rejects")
    }
    assert rejects == {
        "dog/copy.wav": ("duplicate_content", "the same bytes as dog/03.wav"),
        "dog/05.wav": ("duplicate_content", "the same bytes as cat/05.wav"),
    }
    clips = rows(workspace, "clips")
    assert len(clips) == 20
    store = AudioStore(workspace / "audio")
    for clip in clips:
        stored = store.read(clip["shard"], clip["row"])
        source, _ = sf.read(tmp_path / "data" / clip["source_path"], dtype="float32")
        np.testing.assert_array_equal(stored, source)
    prepare(tmp_path / "data", tmp_path / "again", valid_share=0, workers=2)
    assert {path.name: path.read_bytes() for path in (workspace / "audio").iterdir()} == {
        path.name: path.read_bytes() for path in (tmp_path / "again/audio").iterdir()
    }


def test_parts_of_one_file(tmp_path: Path, prepare: Prepare) -> None:
    root = tmp_path / "data"
    root.mkdir()
    signal = np.random.default_rng(0).uniform(-0.5, 0.5, 80000).astype(np.float32)
    sf.write(root / "long.wav", signal, 8000, subtype="FLOAT")
    (root / "manifest.csv").write_text(
        "path,labels,start_seconds,end_seconds\n"
        "long.wav,Dog,0,2.5\nlong.wav,Cat,2.5,5\nlong.wav,Rain,9,\nlong.wav,Dog,12,13\n"
        "long.wav,Siren,2.5,5\nlong.wav,Dog,1,1.01\n"
    )
    summary = prepare(root, min_clip_seconds=0.5, split_by="hash", valid_share=0)
    workspace = tmp_path / "workspace"
    store = AudioStore(workspace / "audio")
    clips = {clip["clip_id"]: clip for clip in rows(workspace, "clips")}
    spans = {"long.wav@0-2.5": (0, 2.5), "long.wav@2.5-5": (2.5, 5), "long.wav@9-": (9, 10)}
    assert clips.keys() == spans.keys()
    for clip_id, (start, end) in spans.items():
        clip = clips[clip_id]
        assert clip["start_seconds"] == start
        assert clip["duration_seconds"] == end - start
        stored = store.read(clip["shard"], clip["row"])
        part = signal[int(start * 8000) : int(end * 8000)]
        np.testing.assert_allclose(stored, part, atol=0.51 / 32768)
    assert len({clip["split"] for clip in clips.values()}) == 1  # one recording
    assert summary.rejects == {"duplicate_id": 1, "too_short": 2}


def test_names_of_every_kind(tmp_path: Path, prepare: Prepare, write_tone: WriteTone) -> None:
    names = [
        "q\"u o'te",
        "new\nline",
        "\u00fcn\u00ef\U0001f3bb",
        "a,b;c",
        "%2F..",
        "-rf",
        "trailing ",
    ]
    for name in names:
        write_tone(tmp_path / f"data/dog/{name}.wav")
    prepare(tmp_path / "data", valid_share=0)
    clips = rows(tmp_path / "workspace", "clips")
    assert {clip["clip_id"] for clip in clips} == set(names)
    assert {clip["source_path"] for clip in clips} == {f"dog/{name}.wav" for name in names}
    assert rows(tmp_path / "workspace", "rejects") == []


def test_audiosets_whole_videos_are_cut(tmp_path: Path, prepare: Prepare) -> None:
    root = tmp_path / "as"
    root.mkdir()
    signal = np.random.default_rng(1).uniform(-0.5, 0.5, 8000 * 25).astype(np.float32)
    sf.write(root / "Ywhole.wav", signal, 8000, subtype="FLOAT")
    sf.write(root / "part_12_22.wav", signal[:80000] / 2, 8000, subtype="FLOAT")
    sf.write(root / "short.flac", signal[:79000], 8000)
    sf.write(root / "ended.wav", signal[: 8000 * 15], 8000)
    (root / "class_labels_indices.csv").write_text("index,mid,display_name\n0,/m/dog,Dog\n")
    (root / "eval_segments.csv").write_text(
        "whole, 12, 22, /m/dog\npart, 12, 22, /m/dog\nshort, 40, 50, /m/dog\nended, 20, 30, /m/dog\n"
    )
    summary = prepare(root)
    store = AudioStore(tmp_path / "workspace/audio")
    clips = {clip["clip_id"]: clip for clip in rows(tmp_path / "workspace", "clips")}
    expected = {
        "whole": signal[8000 * 12 : 8000 * 22],
        "part": signal[:80000] / 2,
        "short": signal[:79000],
    }
    assert clips.keys() == expected.keys()
    for clip_id, waveform in expected.items():
        stored = store.read(clips[clip_id]["shard"], clips[clip_id]["row"])
        np.testing.assert_allclose(stored, waveform, atol=1.01 / 32768)
    assert summary.rejects == {"too_short": 1}


@pytest.mark.parametrize("codec", ["flac", "wav"])
def test_codecs(tmp_path: Path, prepare: Prepare, write_tone: WriteTone, codec: str) -> None:
    write_tone(tmp_path / "data/dog/a.wav")
    prepare(tmp_path / "data", codec=codec)
    (clip,) = rows(tmp_path / "workspace", "clips")
    stored = AudioStore(tmp_path / "workspace/audio").read(clip["shard"], clip["row"])
    np.testing.assert_array_equal(stored, sf.read(tmp_path / "data/dog/a.wav", dtype="float32")[0])


def test_finished_shards_are_not_done_again(
    tmp_path: Path, prepare: Prepare, write_tone: WriteTone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full when the tables are written: the shards stay, and are taken as they are."""
    for number in range(40):
        write_tone(tmp_path / f"data/dog/{number:02}.wav")
    workspace, shards = tmp_path / "workspace", {}

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr("stages.prepare.run.write_tables", full)
        with pytest.raises(Exception, match="no space is left"):
            prepare(tmp_path / "data")
    for path in (workspace / ".staging-prepare/audio").iterdir():
        shards[path.name] = path.stat().st_ino
    assert len(shards) == 3
    assert not (workspace / "clips.parquet").exists()
    prepare(tmp_path / "data")
    assert {path.name: path.stat().st_ino for path in (workspace / "audio").iterdir()} == shards
    assert not list(workspace.glob(".*"))


def write_manifest(root: Path, *rows: str) -> None:
    (root / "manifest.csv").write_text("\n".join(rows) + "\n")


def test_a_clip_behind_a_row_that_was_itself_rejected(
    tmp_path: Path, prepare: Prepare, write_tone: WriteTone
) -> None:
    root = tmp_path / "data"
    for name in ("x", "y"):
        write_tone(root / f"{name}.wav")
    write_manifest(root, "path,labels,clip_id", "x.wav,Dog,a", "y.wav,Dog,a", "y.wav,Cat,b")
    prepare(root, valid_share=0)
    clips = rows(tmp_path / "workspace", "clips")
    assert [(clip["clip_id"], clip["source_path"]) for clip in clips] == [
        ("a", "x.wav"),
        ("b", "y.wav"),
    ]
    assert len(rows(tmp_path / "workspace", "rejects")) == 1


def test_a_file_that_is_called_like_a_line(
    tmp_path: Path, prepare: Prepare, write_tone: WriteTone
) -> None:
    root = tmp_path / "data"
    for name in ("a.wav", "b.wav"):
        write_tone(root / name)
    (root / "b.wav").rename(root / "manifest.csv:3")
    write_manifest(root, "path,labels", "a.wav,Dog", ",Dog")
    other = tmp_path / "elsewhere/manifest.csv"
    prepare(root, valid_share=0)
    found = [(row["source_path"], row["reason"]) for row in rows(tmp_path / "workspace", "rejects")]
    assert found == [("manifest.csv:3", "malformed_row"), ("manifest.csv:3", "not_listed")]
    other.parent.mkdir()
    other.write_text("path,labels\na.wav,Dog\n")
    prepare(root, tmp_path / "second", manifest=other, valid_share=0)
    found = [(row["source_path"], row["reason"]) for row in rows(tmp_path / "second", "rejects")]
    assert found == [("manifest.csv", "not_audio"), ("manifest.csv:3", "not_listed")]


def test_a_file_that_becomes_a_link_out_of_the_folder(
    tmp_path: Path, prepare: Prepare, write_tone: WriteTone, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, secret = tmp_path / "data", tmp_path / "secret.wav"
    for name in ("a", "b"):
        write_tone(root / f"dog/{name}.wav")
    write_tone(secret)

    def listed(*arguments: Any) -> int:
        found = run_find(*arguments)
        (root / "dog/b.wav").unlink()
        (root / "dog/b.wav").symlink_to(secret)
        return found

    run_find = prepare_run.find_clips
    monkeypatch.setattr(prepare_run, "find_clips", listed)
    summary = prepare(root, valid_share=0)
    assert summary.rejects == {"escapes_folder": 1}


def test_recordings_in_several_splits_are_named(
    tmp_path: Path, ontology: Path, write_tone: WriteTone
) -> None:
    root = tmp_path / "data"
    write_tone(root / "a.wav")
    write_manifest(
        root,
        "path,labels,start_seconds,end_seconds,split",
        "a.wav,Dog,0,0.05,train",
        "a.wav,Dog,0.05,,eval",
    )
    reporter = QuietReporter()
    settings = PrepareSettings(source=root, ontology=ontology, workers=1)
    run_stage(PREPARE, settings, tmp_path / "workspace", reporter)
    assert any(
        "1 recordings have clips in more than one split" in said for said in reporter.warnings
    )


def test_class_folders_with_odd_names(
    tmp_path: Path, prepare: Prepare, write_tone: WriteTone
) -> None:
    for folder in ("001 - ", " ", "_", "Dog", "2 - Cat"):
        write_tone(tmp_path / f"data/{folder}/{folder.strip()}x.wav")
    prepare(tmp_path / "data", ontology=None, valid_share=0)
    labels = [row["mid"] for row in rows(tmp_path / "workspace", "labels")]
    assert labels == ["001 -", "Cat", "Dog"]
    rejects = {row["source_path"]: row["reason"] for row in rows(tmp_path / "workspace", "rejects")}
    assert rejects == {" /x.wav": "no_label", "_/_x.wav": "no_label"}


def test_a_name_as_in_esc_is_not_yet_esc(
    tmp_path: Path, prepare: Prepare, write_tone: WriteTone
) -> None:
    for name in ("1-100032-A", "mine", "other"):
        write_tone(tmp_path / f"data/dog/{name}.wav")
    prepare(tmp_path / "data", valid_share=0)
    clips = rows(tmp_path / "workspace", "clips")
    assert {(clip["fold"], tuple(clip["mids"])) for clip in clips} == {(None, ("/m/dog",))}


@pytest.mark.parametrize("name", ["w?x", "a[b]*c", "md:x", "q'u\"o", "\u00fc -x"])
def test_workspaces_with_odd_names(
    tmp_path: Path,
    prepare: Prepare,
    write_tone: WriteTone,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    write_tone(tmp_path / "data/dog/a.wav")
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path / "data", Path(name))
    assert check_workspace(CheckSettings(workers=1), Path(name), QuietReporter()).whole
