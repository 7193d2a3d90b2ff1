"""`spa evaluate` of a run: a small random model on noise, in a workspace written by hand."""

import json
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soxr
import torch

from ontology.build import build_ontology
from stages.artifacts import read_parquet, write_parquet
from stages.audio.store import AudioStore, encode_audio
from stages.errors import MissingInputError, SpaError, UsageError
from stages.evaluate.settings import EvaluateSettings
from stages.evaluate.summary import EvaluateSummary
from stages.lineage import Lineage
from stages.models.checkpoint import ModelHeader, load_checkpoint, save_checkpoint
from stages.models.scoring import score_clips
from stages.models.tagger import Tagger
from stages.pipeline import EVALUATE
from stages.reporter import QuietReporter, Task
from stages.runner import run_stage

NODES = {"/m/root": ["/m/a", "/m/b"], "/m/a": ["/m/c"], "/m/b": [], "/m/c": []}
MIDS = ("/m/a", "/m/b", "/m/c")
LINEAGE = Lineage("test", {}, {}, {})
CLIPS = 12
RATE = 32000


def write_ontology(workspace: Path) -> None:
    nodes = [
        {"id": mid, "name": mid, "description": "", "child_ids": children, "restrictions": []}
        for mid, children in NODES.items()
    ]
    source = workspace / "source.json"
    source.write_text(json.dumps(nodes))
    build_ontology(source, workspace / "ontology.duckdb")


def write_labels(workspace: Path) -> None:
    columns = {
        "label_index": range(3),
        "mid": MIDS,
        "display_name": ["A", "B", "C"],
        "description": [""] * 3,
        "path": [["/m/root", mid] for mid in MIDS],
        "parents": [["/m/root"], ["/m/root"], ["/m/a"]],
        "depth": [1, 1, 2],
        "clips_train": [0] * 3,
        "clips_valid": [0] * 3,
        "clips_eval": [5] * 3,
    }
    write_parquet(workspace / "labels.parquet", "labels", columns, LINEAGE)


def write_clips(workspace: Path, rate: int = RATE, codec: str = "flac") -> None:
    """Clip 0 is of another split, clip 1 has no label, clip 2 has two."""
    generator = np.random.default_rng(0)
    clip_ids = [f"clip{index}" for index in range(CLIPS)]
    indices = [[index % 3] for index in range(CLIPS)]
    indices[1], indices[2] = [], [0, 2]
    noise = [0.1 * generator.standard_normal(rate // 2, dtype=np.float32) for _ in clip_ids]
    audio = [{"bytes": encode_audio(wave, rate, codec), "path": "x.flac"} for wave in noise]
    columns = {"clip_id": clip_ids, "audio": audio}
    write_parquet(workspace / "audio" / "part-0.parquet", "audio", columns, LINEAGE)
    clips = {
        "clip_id": clip_ids,
        "split": ["train"] + ["eval"] * (CLIPS - 1),
        "fold": [None] * CLIPS,
        "recording_id": clip_ids,
        "mids": [[MIDS[label] for label in row] for row in indices],
        "label_indices": indices,
        "duration_seconds": [0.5] * CLIPS,
        "source_path": clip_ids,
        "start_seconds": [None] * CLIPS,
        "end_seconds": [None] * CLIPS,
        "source_sha256": [codec] * CLIPS,
        "source_sample_rate": [rate] * CLIPS,
        "peak_dbfs": [0.0] * CLIPS,
        "rms_dbfs": [None] * CLIPS,
        "dc_offset": [0.0] * CLIPS,
        "clipped_share": [0.0] * CLIPS,
        "shard": ["part-0.parquet"] * CLIPS,
        "row": range(CLIPS),
        "audio_sha256": [""] * CLIPS,
    }
    write_parquet(workspace / "clips.parquet", "clips", clips, LINEAGE)


def write_model(workspace: Path, name: str, seed: int, mids: tuple[str, ...] = MIDS) -> None:
    torch.manual_seed(seed)
    tagger = Tagger("small", len(mids))
    header = ModelHeader(
        encoder="small",
        front_end=tagger.encoder.front_end,
        embedding_dimensions=tagger.encoder.embedding_dimensions,
        mids=mids,
        display_names=mids,
        clip_seconds=0.5,
        text_space=None,
        ontology_sha256="",
        training={},
        metrics={},
        lineage="{}",
    )
    save_checkpoint(workspace / "runs" / name / "model.safetensors", tagger.state_dict(), header)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "w"
    folder.mkdir()
    write_ontology(folder)
    write_labels(folder)
    write_clips(folder)
    write_model(folder, "spa", 1)
    write_model(folder, "one-hot", 2)
    return folder


def evaluate(workspace: Path, name: str = "spa", **settings: object) -> EvaluateSummary:
    given = EvaluateSettings.model_validate({"name": name, "resamples": 30, **settings})
    return run_stage(EVALUATE, given, workspace, QuietReporter(), force=True).summary


def test_scores_are_the_models_for_the_clips_of_the_split(workspace: Path) -> None:
    evaluate(workspace)
    table = read_parquet(workspace / "runs" / "spa" / "scores.parquet", "scores")
    assert table["clip_id"].to_pylist() == [f"clip{index}" for index in range(1, CLIPS)]
    assert table["targets"].to_pylist()[:3] == [[], [0, 2], [0]]
    model = load_checkpoint(workspace / "runs/spa/model.safetensors", torch.device("cpu"))
    store = AudioStore(workspace / "audio")
    waveforms = [store.read("part-0.parquet", row) for row in range(1, CLIPS)]
    expected = np.stack(list(score_clips(model, waveforms, 32)))
    np.testing.assert_allclose(table["scores"].to_pylist(), expected, atol=1e-6)


def test_the_scores_file_gives_the_same_measures(workspace: Path, tmp_path: Path) -> None:
    """What the run wrote can be evaluated as anybody's predictions, with the same result."""
    summary = evaluate(workspace)
    labels = tmp_path / "labels.csv"
    rows = [f"{index},{mid},{mid}" for index, mid in enumerate(MIDS)]
    labels.write_text("\n".join(["index,mid,display_name", *rows]))
    settings = EvaluateSettings(
        scores=workspace / "runs" / "spa" / "scores.parquet",
        ontology=workspace / "source.json",
        labels=labels,
        resamples=30,
    )
    elsewhere = run_stage(EVALUATE, settings, tmp_path / "none", QuietReporter()).summary
    same = {"mAP_interval", "OmAP_interval", "OmAP_by_coarse_level", "AUC", "d_prime", "chance_mAP"}
    assert elsewhere.model_dump(include=same) == summary.model_dump(include=same)
    assert summary.clips_without_labels == elsewhere.clips_without_labels == 1


def test_metrics_parquet_says_what_the_summary_says(workspace: Path) -> None:
    summary = evaluate(workspace)
    rows = read_parquet(workspace / "runs" / "spa" / "metrics.parquet", "metrics").to_pylist()
    found = {(row["metric"], row["label_index"], row["coarse_level"]): row for row in rows}
    assert len(found) == len(rows)
    assert found["mAP", None, None]["value"] == summary.mAP
    assert found["mAP", None, None]["ci_low"] == summary.mAP_interval.low
    assert found["OmAP", None, None]["ci_high"] == summary.OmAP_interval.high
    for level, value in enumerate(summary.OmAP_by_coarse_level):
        row = found["OmAP", None, level]
        assert row["value"] == value
        assert row["ci_low"] <= value <= row["ci_high"]
    by_level = [found["OmAP", 2, level]["value"] for level in range(4)]
    assert np.mean(by_level) == pytest.approx(summary.per_label[2].OmAP)
    assert found["AP", 1, None]["value"] == summary.per_label[1].AP
    assert found["d_prime", None, None]["value"] == summary.d_prime


def test_the_same_again_is_the_same_bytes(workspace: Path) -> None:
    names = ("scores.parquet", "metrics.parquet", "report.html")
    files = [workspace / "runs" / "spa" / name for name in names]
    evaluate(workspace)
    first = [file.read_bytes() for file in files]
    evaluate(workspace)
    assert [file.read_bytes() for file in files] == first


def test_against_is_the_paired_difference(workspace: Path) -> None:
    one_hot = evaluate(workspace, "one-hot")
    spa = evaluate(workspace, "spa", against="one-hot")
    assert spa.difference is not None
    assert spa.difference.against == "one-hot"
    assert spa.difference.mAP.value == pytest.approx(spa.mAP - one_hot.mAP)
    assert spa.difference.OmAP.value == pytest.approx(spa.OmAP - one_hot.OmAP)
    assert spa.difference.mAP.low is not None
    assert spa.difference.mAP.low < spa.difference.mAP.high
    back = evaluate(workspace, "one-hot", against="spa")
    assert back.difference is not None
    assert back.difference.mAP.low == pytest.approx(-spa.difference.mAP.high)


def rewrite_scores(workspace: Path, name: str, column: str, values: list[object]) -> None:
    path = workspace / "runs" / name / "scores.parquet"
    columns = read_parquet(path, "scores").to_pydict()
    write_parquet(path, "scores", {**columns, column: values}, LINEAGE)


def test_against_other_clips_or_targets_is_refused(workspace: Path) -> None:
    evaluate(workspace, "one-hot")
    path = workspace / "runs" / "one-hot" / "scores.parquet"
    names = read_parquet(path, "scores")["clip_id"].to_pylist()
    rewrite_scores(workspace, "one-hot", "clip_id", [*names[:4], "other", *names[5:]])
    with pytest.raises(SpaError, match="clip 'clip5' of the first is not in the second"):
        evaluate(workspace, against="one-hot")
    rewrite_scores(workspace, "one-hot", "clip_id", names)
    rewrite_scores(workspace, "one-hot", "targets", [[0]] * len(names))
    with pytest.raises(SpaError, match="clip 'clip1'"):
        evaluate(workspace, against="one-hot")
    evaluate(workspace, "one-hot", split="train")
    with pytest.raises(SpaError, match="is of the split train, not eval"):
        evaluate(workspace, against="one-hot")


@pytest.mark.parametrize(
    ("changed", "message"), [("model", "another model"), ("clips", "other clips")]
)
def test_against_scores_that_the_run_would_not_give_now(
    workspace: Path, changed: str, message: str
) -> None:
    """The other run was trained again, or the workspace prepared again, since it was evaluated."""
    evaluate(workspace, "one-hot")
    if changed == "model":
        write_model(workspace, "one-hot", 3)
    else:
        write_clips(workspace, codec="wav")
    with pytest.raises(SpaError, match=f"is of {message} than") as caught:
        evaluate(workspace, against="one-hot")
    assert "spa evaluate one-hot" in str(caught.value.next_step)


def test_only_the_clips_that_the_other_has(workspace: Path) -> None:
    """The other model's scores are both what is compared with and the list of clips."""
    evaluate(workspace, "one-hot")
    path = workspace / "runs" / "one-hot" / "scores.parquet"
    other = workspace.parent / "other.parquet"
    pq.write_table(pq.read_table(path).slice(2, 6), other)
    summary = evaluate(workspace, against=str(other), clips=other)
    assert summary.clips == 6
    assert summary.coverage is not None
    assert (summary.coverage.evaluated, summary.coverage.not_listed) == (6, 5)
    scores = read_parquet(workspace / "runs" / "spa" / "scores.parquet", "scores")
    assert scores.num_rows == CLIPS - 1


def test_against_what_was_never_evaluated_or_itself(workspace: Path) -> None:
    with pytest.raises(MissingInputError, match="one-hot"):
        evaluate(workspace, against="one-hot")
    evaluate(workspace)
    with pytest.raises(UsageError, match="--against spa is the run itself"):
        evaluate(workspace, against="spa")


@pytest.mark.parametrize("option", ["ontology", "labels"])
def test_a_workspace_has_its_own_ontology_and_labels(workspace: Path, option: str) -> None:
    with pytest.raises(UsageError, match="go with --scores"):
        evaluate(workspace, **{option: workspace / "source.json"})


@pytest.mark.parametrize(
    ("mids", "message"),
    [
        (("/m/a", "/m/c", "/m/b"), "its label 1 is '/m/c', the workspace's '/m/b'"),
        (("/m/a", "/m/b"), "it has 2 labels, the workspace 3"),
    ],
)
def test_a_model_for_other_labels(workspace: Path, mids: tuple[str, ...], message: str) -> None:
    write_model(workspace, "other", 1, mids)
    with pytest.raises(SpaError, match=message):
        evaluate(workspace, "other")
    assert not (workspace / "runs" / "other" / "scores.parquet").exists()


@pytest.mark.parametrize(("rate", "missing"), [(16000, True), (44100, False)])
def test_audio_at_another_rate_is_resampled_and_said(
    workspace: Path, rate: int, *, missing: bool
) -> None:
    write_clips(workspace, rate=rate)
    reporter = QuietReporter()
    settings = EvaluateSettings(name="spa", resamples=30)
    run_stage(EVALUATE, settings, workspace, reporter, force=True)
    (said,) = [text for text in reporter.warnings if "resampled" in text]
    assert f"audio is at {rate} Hz, model {workspace}" in said
    assert f"hears {RATE} Hz" in said
    assert ("above 8000 Hz is missing" in said) == missing
    table = read_parquet(workspace / "runs" / "spa" / "scores.parquet", "scores")
    model = load_checkpoint(workspace / "runs/spa/model.safetensors", torch.device("cpu"))
    stored = [AudioStore(workspace / "audio").read("part-0.parquet", row) for row in range(CLIPS)]
    heard = [soxr.resample(waveform, rate, RATE, quality="HQ") for waveform in stored[1:]]
    expected = np.stack(list(score_clips(model, heard, 32)))
    np.testing.assert_allclose(table["scores"].to_pylist(), expected, atol=1e-6)


def test_a_split_without_clips(workspace: Path) -> None:
    with pytest.raises(SpaError, match="no clip in the split 'valid'"):
        evaluate(workspace, split="valid")


def test_a_model_that_scores_nan(workspace: Path) -> None:
    path = workspace / "runs" / "spa" / "model.safetensors"
    checkpoint = load_checkpoint(path, torch.device("cpu"))
    weights = checkpoint.tagger.state_dict()
    half = weights["head.weight"].shape[1] // 2
    weights["head.weight"][2] = 3e38  # finite, as it must be, but not the sums with it
    weights["head.weight"][2, half:] = -3e38
    save_checkpoint(path, weights, checkpoint.header)
    with pytest.raises(SpaError, match=r"score nan for label 2 \(clip_id 'clip1', label '/m/c'\)"):
        evaluate(workspace)
    assert pq.ParquetFile(workspace / "clips.parquet").metadata.num_rows == CLIPS
    assert [child.name for child in (workspace / "runs" / "spa").iterdir()] == ["model.safetensors"]


class CountingReporter(QuietReporter):
    """Counts how often clips were scored."""

    def __init__(self) -> None:
        super().__init__()
        self.scored = 0

    def task(self, name: str, total: int) -> AbstractContextManager[Task]:
        self.scored += name == "score"
        return super().task(name, total)


def test_kept_scores_serve_again_while_model_and_clips_are_the_same(workspace: Path) -> None:
    """Another threshold needs no new scores; another model, another batch size or --force does."""
    reporter = CountingReporter()

    def run(force: bool = False, **settings: object) -> EvaluateSummary:
        given = EvaluateSettings.model_validate({"name": "spa", "resamples": 0, **settings})
        return run_stage(EVALUATE, given, workspace, reporter, force=force).summary

    first = run()
    again = run(threshold=(0.1,))
    assert reporter.scored == 1
    assert (again.mAP, again.OmAP) == (first.mAP, first.OmAP)
    run(threshold=(0.2,), force=True)
    assert reporter.scored == 2
    run(threshold=(0.1,), batch_size=3)
    assert reporter.scored == 3
    path = workspace / "runs" / "spa" / "scores.parquet"
    path.write_bytes(path.read_bytes() + b"more")
    run(threshold=(0.3,), batch_size=3)
    assert reporter.scored == 4
    write_model(workspace, "spa", 3)
    assert run(threshold=(0.3,), batch_size=3).mAP != first.mAP
    assert reporter.scored == 5


@pytest.mark.parametrize(
    ("group_by", "message"),
    [
        ("recording", "no such column to group by"),
        ("duration_seconds", "no such column to group by"),
        ("fold", "clip 'clip1' has none"),
    ],
)
def test_groups_that_clips_do_not_have(workspace: Path, group_by: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        evaluate(workspace, group_by=group_by)


def test_groups_of_clips_parquet(workspace: Path) -> None:
    summary = evaluate(workspace, group_by="recording_id")
    assert summary.groups == CLIPS - 1
    assert summary.mAP_interval == evaluate(workspace).mAP_interval


def test_the_report_has_the_clips_to_hear(workspace: Path) -> None:
    """Random models are wrong often enough; every false tag's example is a playable MP3."""
    evaluate(workspace, threshold=(0.01,), audio_clips=2)
    page = (workspace / "runs" / "spa" / "report.html").read_text()
    assert page.count("data:audio/mpeg;base64,") == 2
    evaluate(workspace, threshold=(0.01,), audio_clips=0)
    assert "data:audio" not in (workspace / "runs" / "spa" / "report.html").read_text()
