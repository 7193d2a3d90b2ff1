"""The whole stage on small data sets: what it writes, and that it always writes the same."""

import csv
import hashlib
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import scipy.io.wavfile
import soundfile as sf

from stages.artifacts import read_parquet
from stages.audio.decode import decode_audio
from stages.audio.store import AudioStore
from stages.prepare.settings import PrepareSummary
from stages.schemas import FIXED

Prepare = Callable[..., PrepareSummary]
WriteTone = Callable[[Path], None]

LOUDEST = 32767 / 32768


def rows(workspace: Path, kind: str) -> list[dict[str, Any]]:
    return read_parquet(workspace / f"{kind}.parquet", kind).to_pylist()


def copy_esc10(shared: Path, root: Path, takes: int) -> Path:
    for folder in sorted((shared / "data/esc10").iterdir()):
        for file in sorted(folder.iterdir())[::9][:takes] if folder.is_dir() else []:
            (root / folder.name).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, root / folder.name / file.name)
    return root


def contents(workspace: Path) -> dict[str, bytes]:
    files = (path for path in workspace.rglob("*") if path.is_file())
    return {str(path.relative_to(workspace)): path.read_bytes() for path in files}


def test_esc10(shared: Path, tmp_path: Path, prepare: Prepare) -> None:
    source = copy_esc10(shared, tmp_path / "esc10", takes=4)
    (source / "README.md").write_text("about")
    ontology = shared / "data/audioset/ontology.json"
    summary = prepare(source, ontology=ontology, sample_rate=32000, workers=2)
    workspace = tmp_path / "workspace"
    clips, labels = rows(workspace, "clips"), rows(workspace, "labels")

    assert summary.layout == "folder"
    assert sum(summary.clips.values()) == len(clips) == 40
    assert summary.rejects == {"not_audio": 1}
    assert summary.labels == len(labels) == 10
    assert set(summary.labels_per_clip.values()) == {1}
    assert summary.coverage_percent == 100
    assert rows(workspace, "rejects") == [
        {
            "source_path": "README.md",
            "clip_id": None,
            "reason": "not_audio",
            "detail": ".md is no extension of audio",
        }
    ]
    assert [label["label_index"] for label in labels] == list(range(10))
    helicopter = next(label for label in labels if label["mid"] == "/m/09ct_")
    assert helicopter["display_name"] == "Helicopter"
    assert helicopter["path"][-1] == "Helicopter"
    assert helicopter["depth"] == len(helicopter["path"]) - 1
    for split in ("train", "valid", "eval"):
        assert sum(label[f"clips_{split}"] for label in labels) == summary.clips[split]
    last_fold = max(clip["fold"] for clip in clips)
    assert all((clip["fold"] == last_fold) == (clip["split"] == "eval") for clip in clips)

    store = AudioStore(workspace / "audio")
    for clip in clips:
        path = source / clip["source_path"]
        decoded = decode_audio(path, 32000, 60)
        waveform = store.read(clip["shard"], clip["row"])
        np.testing.assert_allclose(waveform, decoded.waveform.clip(-1, LOUDEST), atol=0.51 / 32768)
        assert clip["duration_seconds"] == len(waveform) / 32000
        assert clip["source_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert clip["mids"] == [labels[index]["mid"] for index in clip["label_indices"]]


def test_the_same_bytes_whatever_the_number_of_workers(
    shared: Path, tmp_path: Path, prepare: Prepare
) -> None:
    source = copy_esc10(shared, tmp_path / "esc10", takes=4)
    (source / "001 - Dog bark/broken.ogg").write_text("no audio")
    ontology = shared / "data/audioset/ontology.json"
    for workers in (1, 3):
        prepare(source, tmp_path / str(workers), ontology=ontology, workers=workers)
    first = contents(tmp_path / "1")
    assert first == contents(tmp_path / "3")
    assert len([name for name in first if name.startswith("audio/")]) == 3  # 41 files, 16 a shard


def test_urbansound8k(shared: Path, tmp_path: Path, prepare: Prepare) -> None:
    published, source = shared / "data/urbansound8k", tmp_path / "us8k"
    table = "metadata/UrbanSound8K.csv"
    (source / "metadata").mkdir(parents=True)
    shutil.copyfile(published / table, source / table)
    with (published / table).open() as file:
        chosen = list(csv.DictReader(file))[::60]
    for row in chosen:
        path = Path("audio", f"fold{row['fold']}", row["slice_file_name"])
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(published / path, source / path)
    summary = prepare(source, ontology=shared / "data/audioset/ontology.json", workers=2)
    clips = rows(tmp_path / "workspace", "clips")
    assert summary.layout == "metadata"
    assert summary.rejects == {"missing": 1761 - len(chosen)}
    assert [clip["clip_id"] for clip in clips] == [
        row["slice_file_name"].removesuffix(".ogg") for row in chosen
    ]
    music = next(clip for clip in clips if "street_music" in chosen[clips.index(clip)]["class"])
    assert music["mids"] == ["/m/04rlf"]
    assert {clip["split"] for clip in clips if clip["fold"] == 2} == {"eval"}


def audioset(root: Path, write_tone: WriteTone) -> Path:
    (root / "class_labels_indices.csv").parent.mkdir(parents=True)
    (root / "class_labels_indices.csv").write_text(
        "index,mid,display_name\n0,/m/siren,Wail\n1,/m/dog,Dog\n2,/m/bark,Bark\n"
    )
    (root / "eval_segments.csv").write_text('b, 0, 10, "/m/dog,/m/siren"\n')
    (root / "train_segments.csv").write_text(
        '# a comment\na, 0, 10, "/m/bark,/m/dog"\ngone, 0, 10, "/m/dog"\n'
    )
    write_tone(root / "audio/Ya.wav")
    write_tone(root / "audio/b.flac")
    return root


def test_audioset(tmp_path: Path, prepare: Prepare, write_tone: WriteTone) -> None:
    summary = prepare(audioset(tmp_path / "as", write_tone), valid_share=0)
    workspace = tmp_path / "workspace"
    assert summary.clips == {"train": 1, "valid": 0, "eval": 1}
    assert summary.labels_without_train_clip == ("Wail",)
    assert summary.labels_per_clip == {"train": 2, "valid": 0, "eval": 2}
    assert summary.coverage_percent == pytest.approx(100 * 2 / 3)
    assert [(c["clip_id"], c["mids"], c["label_indices"]) for c in rows(workspace, "clips")] == [
        ("b", ["/m/siren", "/m/dog"], [0, 1]),
        ("a", ["/m/dog", "/m/bark"], [1, 2]),
    ]
    labels = rows(workspace, "labels")
    assert [label["display_name"] for label in labels] == ["Wail", "Dog", "Bark"]
    assert labels[2]["path"] == ["Animal", "Dog", "Bark"]
    assert labels[2]["parents"] == ["/m/dog"]
    assert [label["clips_train"] for label in labels] == [0, 1, 1]
    assert [label["clips_eval"] for label in labels] == [1, 1, 0]
    assert [(r["source_path"], r["clip_id"], r["reason"]) for r in rows(workspace, "rejects")] == [
        ("train_segments.csv:3", "gone", "missing")
    ]


def test_shards_are_as_documented(tmp_path: Path, prepare: Prepare, write_tone: WriteTone) -> None:
    for number in range(18):
        write_tone(tmp_path / f"data/dog/{number:02}.wav")
    prepare(tmp_path / "data")
    shards = sorted((tmp_path / "workspace/audio").iterdir())
    assert [shard.name for shard in shards] == ["part-00000.parquet", "part-00001.parquet"]
    with pq.ParquetFile(shards[0]) as file:
        assert file.schema_arrow.equals(FIXED["audio"], check_metadata=False)
        assert file.schema_arrow.metadata[b"spa.artifact"] == b"audio"
        assert file.num_row_groups == 16
        assert {file.metadata.row_group(0).column(i).compression for i in range(3)} == {
            "UNCOMPRESSED"
        }
        assert file.read()["audio"][3].as_py()["path"] == "03.flac"


def test_levels(tmp_path: Path, prepare: Prepare) -> None:
    folder = tmp_path / "data/dog"
    folder.mkdir(parents=True)
    square = np.tile([0.5, -0.5], 400).astype(np.float32)
    for name, samples in {
        "silence": np.zeros(800, np.float32),
        "square": square,
        "beyond": square * 8,
        "offset": np.full(800, -0.25, np.float32),
    }.items():
        scipy.io.wavfile.write(folder / f"{name}.wav", 8000, samples)
    prepare(tmp_path / "data")
    levels = {
        clip["clip_id"]: (clip["peak_dbfs"], clip["rms_dbfs"])
        for clip in rows(tmp_path / "workspace", "clips")
    }
    assert levels["silence"] == (None, None)
    assert levels["square"] == pytest.approx((20 * math.log10(0.5),) * 2)
    assert levels["beyond"] == pytest.approx((20 * math.log10(4),) * 2)
    assert levels["offset"] == pytest.approx((20 * math.log10(0.25),) * 2)


def test_undecodable_files_have_their_reason(
    tmp_path: Path, prepare: Prepare, write_tone: WriteTone
) -> None:
    folder = tmp_path / "data/dog"
    write_tone(folder / "good.wav")
    (folder / "text.wav").write_text("no audio")
    (folder / "zero.wav").touch()
    sf.write(folder / "header.wav", np.zeros(0), 8000)
    sf.write(folder / "long.wav", np.zeros(8001), 8000)
    sf.write(folder / "nan.wav", np.array([0, np.nan]), 8000, subtype="FLOAT")
    prepare(tmp_path / "data", max_clip_seconds=1)
    assert {r["clip_id"]: r["reason"] for r in rows(tmp_path / "workspace", "rejects")} == {
        "text": "unreadable",
        "zero": "empty",
        "header": "empty",
        "long": "too_long",
        "nan": "unreadable",
    }


def test_a_workspace_inside_the_source(
    tmp_path: Path, prepare: Prepare, write_tone: WriteTone
) -> None:
    write_tone(tmp_path / "data/dog/a.wav")
    for _ in range(2):
        summary = prepare(tmp_path / "data", tmp_path / "data/workspace")
        assert (summary.clips["train"], summary.rejects) == (1, {})
        assert sum(summary.clips.values()) == 1
