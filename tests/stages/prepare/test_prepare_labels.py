"""Which labels the clips of a workspace have: kept ones, ancestors, unknown ones, a flat ontology."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ontology.database import open_ontology
from ontology.distances import distance_matrix
from stages.artifacts import read_parquet
from stages.errors import ArtifactError, SpaError
from stages.pipeline import PREPARE
from stages.prepare.kept_labels import read_kept_labels
from stages.prepare.settings import PrepareSettings, PrepareSummary
from stages.reporter import QuietReporter
from stages.runner import run_stage

Prepare = Callable[..., PrepareSummary]
WriteTone = Callable[[Path], None]


def rows(workspace: Path, kind: str) -> list[dict[str, Any]]:
    return read_parquet(workspace / f"{kind}.parquet", kind).to_pylist()


@pytest.fixture
def source(tmp_path: Path, write_tone: WriteTone) -> Path:
    """A manifest of five clips: Bark and Rain; Cat; Siren; a label that nobody knows; no label."""
    root = tmp_path / "own"
    lines = ["path,labels,split"]
    for name, labels, split in (
        ("a", "Bark; /m/rain", "train"),
        ("b", "cat", "eval"),
        ("c", "SIREN", "train"),
        ("d", "Bark;Quokka", "train"),
        ("e", "", "train"),
    ):
        write_tone(root / f"{name}.wav")
        lines.append(f'{name}.wav,"{labels}",{split}')
    (root / "manifest.csv").write_text("\n".join(lines))
    return root


def labels_of_clips(workspace: Path) -> dict[str, list[str]]:
    return {clip["clip_id"]: clip["mids"] for clip in rows(workspace, "clips")}


def reasons(workspace: Path) -> dict[str, str]:
    return {reject["source_path"]: reject["reason"] for reject in rows(workspace, "rejects")}


def test_the_labels_in_use_in_the_ontologys_order(
    source: Path, tmp_path: Path, prepare: Prepare
) -> None:
    summary = prepare(source, valid_share=0)
    workspace = tmp_path / "workspace"
    assert labels_of_clips(workspace) == {
        "a.wav": ["/m/bark", "/m/rain"],
        "b.wav": ["/m/cat"],
        "c.wav": ["/m/siren"],
    }
    used = [label["mid"] for label in rows(workspace, "labels")]
    assert used == ["/m/bark", "/m/cat", "/m/rain", "/m/siren"]
    assert reasons(workspace) == {"d.wav": "unknown_label", "e.wav": "no_label"}
    assert summary.labels_without_train_clip == ("Cat",)
    assert summary.labels_without_clip == ()
    assert (summary.named, summary.coverage_percent) == (5, 60)
    detail = {reject["clip_id"]: reject["detail"] for reject in rows(workspace, "rejects")}
    assert detail["d.wav"] == "manifest.csv:5: 'Quokka' is no label of this data set"
    assert detail["e.wav"] == "manifest.csv:6: it has no label"


def test_unknown_labels_are_named(source: Path, tmp_path: Path, ontology: Path) -> None:
    reporter = QuietReporter()
    settings = PrepareSettings(source=source, ontology=ontology, workers=1, valid_share=0)
    run_stage(PREPARE, settings, tmp_path / "workspace", reporter)
    (warning,) = reporter.warnings
    assert "'Quokka' (manifest.csv:5)" in warning
    assert "--class-map" in warning


@pytest.mark.parametrize(
    "content",
    ["mid,display_name\n/m/siren,X\n/m/bark,Y\n", "Siren\n\n/m/bark\n", "\ufeffsiren\nBARK"],
)
def test_only_some_labels_are_kept(
    source: Path, tmp_path: Path, prepare: Prepare, content: str
) -> None:
    (tmp_path / "keep.csv").write_text(content, encoding="utf-8")
    prepare(source, labels=tmp_path / "keep.csv", valid_share=0)
    workspace = tmp_path / "workspace"
    assert [label["mid"] for label in rows(workspace, "labels")] == ["/m/siren", "/m/bark"]
    assert labels_of_clips(workspace) == {"a.wav": ["/m/bark"], "c.wav": ["/m/siren"]}
    assert reasons(workspace)["b.wav"] == "no_label"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("Quokka\n", "line 1: 'Quokka' is no label"),
        ("Bark\n/m/bark\n", "there twice"),
        ("\n", "names no label"),
    ],
)
def test_a_list_of_labels_that_is_none(
    source: Path, tmp_path: Path, prepare: Prepare, content: str, said: str
) -> None:
    (tmp_path / "keep.csv").write_text(content)
    with pytest.raises(ArtifactError, match=said):
        prepare(source, labels=tmp_path / "keep.csv")
    assert not (tmp_path / "workspace").exists()


def test_ancestors(source: Path, tmp_path: Path, prepare: Prepare) -> None:
    prepare(source, with_ancestors=True, valid_share=0)
    clips = labels_of_clips(tmp_path / "workspace")
    assert clips["a.wav"] == ["/m/animal", "/m/dog", "/m/bark", "/m/rain"]
    assert clips["b.wav"] == ["/m/animal", "/m/cat"]
    assert clips["c.wav"] == ["/m/siren"]


def test_ancestors_that_are_kept(source: Path, tmp_path: Path, prepare: Prepare) -> None:
    (tmp_path / "keep.txt").write_text("Rain\nDog\n")
    prepare(source, labels=tmp_path / "keep.txt", with_ancestors=True, valid_share=0)
    assert labels_of_clips(tmp_path / "workspace") == {"a.wav": ["/m/rain", "/m/dog"]}


def test_a_flat_ontology(source: Path, tmp_path: Path) -> None:
    reporter = QuietReporter()
    settings = PrepareSettings(source=source, workers=1, valid_share=0)
    run_stage(PREPARE, settings, tmp_path / "workspace", reporter)
    assert any("OmAP is meaningless" in warning for warning in reporter.warnings)
    labels = [label["mid"] for label in rows(tmp_path / "workspace", "labels")]
    assert labels == ["/m/rain", "Bark", "Quokka", "SIREN", "cat"]
    with open_ontology(tmp_path / "workspace/ontology.duckdb") as connection:
        assert distance_matrix(connection, labels).is_flat


def test_nothing_is_left(source: Path, tmp_path: Path, prepare: Prepare) -> None:
    (tmp_path / "keep.txt").write_text("Dog\n")
    with pytest.raises(SpaError, match="gave no clip: 4 no_label, 1 unknown_label"):
        prepare(source, labels=tmp_path / "keep.txt")
    assert not (tmp_path / "workspace").exists()


def test_the_manifest_may_be_the_source(source: Path, tmp_path: Path, prepare: Prepare) -> None:
    moved = tmp_path / "list.csv"
    moved.write_bytes((source / "manifest.csv").read_bytes())
    prepare(source, tmp_path / "folder", valid_share=0)
    prepare(source / "manifest.csv", tmp_path / "file", valid_share=0)
    prepare(source, tmp_path / "elsewhere", manifest=moved, layout="manifest", valid_share=0)
    expected = rows(tmp_path / "folder", "clips")
    assert rows(tmp_path / "file", "clips") == expected
    assert rows(tmp_path / "elsewhere", "clips") == expected


def test_kept_labels_that_no_clip_has(source: Path, tmp_path: Path, prepare: Prepare) -> None:
    (tmp_path / "keep.txt").write_text("Dog\nCat\nRain\n")
    summary = prepare(source, labels=tmp_path / "keep.txt", valid_share=0)
    assert summary.labels_without_clip == ("Dog",)
    assert summary.labels_without_train_clip == ("Dog", "Cat")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"Bark\nRain\xe9\n", "line 2: a line that is no UTF-8 text"),
        (b"Bark\n\nRa\0in\n", "line 3: a line that is no UTF-8 text"),
        (b"Bark\n" + b"x" * (2 << 20), "line 2: a line beyond all measure"),
        (b"Bark\n" + b"x" * 1000, "line 2: 'x{100}' is no label"),
        (b"mid\n/m/bark\n/m/r\xe9\n", "line 3: no UTF-8 text, or no mid"),
        ("Bark\u2028Rain\n".encode(), "line 1: .*no label"),
        (b"Bark\x0bRain\n", "line 1: .*no label"),
        ("Bark\x85Rain\n".encode(), "line 1: .*no label"),
    ],
)
def test_lines_of_kept_labels_that_cannot_be_read(
    source: Path, tmp_path: Path, prepare: Prepare, content: bytes, said: str
) -> None:
    keep = tmp_path / "keep.txt"
    keep.write_bytes(content)
    with pytest.raises(ArtifactError, match=f"keep.txt.* {said}"):
        prepare(source, labels=keep)


def test_a_list_of_labels_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be read: No such file"):
        read_kept_labels(tmp_path / "keep.txt", None, [])


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_any_end_of_a_line_of_kept_labels(
    source: Path, tmp_path: Path, prepare: Prepare, end: str
) -> None:
    (tmp_path / "keep.txt").write_bytes(end.join(["Siren", "", "Bark"]).encode())
    prepare(source, labels=tmp_path / "keep.txt", valid_share=0)
    kept = [label["mid"] for label in rows(tmp_path / "workspace", "labels")]
    assert kept == ["/m/siren", "/m/bark"]
