"""`spa evaluate --scores`: anybody's predictions, from a file to metrics.parquet and report.html."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.artifacts import read_parquet
from stages.errors import SpaError, UsageError
from stages.evaluate.settings import EvaluateSettings
from stages.evaluate.summary import EvaluateSummary
from stages.pipeline import EVALUATE
from stages.reporter import QuietReporter
from stages.runner import run_stage

MIDS = ("/m/dog", "/m/bark", "/m/cat")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """An ontology (dog over bark, cat apart, all under animal) and its labels, cat last."""
    nodes = {"/m/animal": ["/m/dog", "/m/cat"], "/m/dog": ["/m/bark"], "/m/bark": [], "/m/cat": []}
    ontology = [
        {
            "id": mid,
            "name": mid.removeprefix("/m/"),
            "description": "",
            "citation_uri": "",
            "positive_examples": [],
            "child_ids": children,
            "restrictions": [],
        }
        for mid, children in nodes.items()
    ]
    paths = {"ontology": tmp_path / "ontology.json", "labels": tmp_path / "labels.csv"}
    paths["ontology"].write_text(json.dumps(ontology))
    rows = [f'{index},{mid},"{mid[3:]}, a sound"' for index, mid in enumerate(MIDS)]
    paths["labels"].write_text("\ufeffindex,mid,display_name\n" + "\n".join(rows) + "\n")
    paths["scores"] = tmp_path / "scores.parquet"
    return paths


SCORES = [[0.9, 0.8, 0.1], [0.2, 0.1, 0.7], [0.3, 0.6, 0.2], [0.1, 0.2, 0.3]]
TARGETS = [[0, 1], [2], [2], []]


def columns() -> dict[str, pa.Array]:
    return {
        "clip_id": pa.array(["a", "b", "c", "d"]),
        "scores": pa.array(SCORES, pa.list_(pa.float32())),
        "targets": pa.array(TARGETS, pa.list_(pa.int32())),
    }


def evaluate(
    files: dict[str, Path], written: dict[str, pa.Array] | None = None, **changes: object
) -> EvaluateSummary:
    if written is not None:
        pq.write_table(pa.table(written), files["scores"])
    settings = EvaluateSettings.model_validate({"resamples": 20, **files, **changes})
    workspace = files["scores"].parent / "w"
    return run_stage(EVALUATE, settings, workspace, QuietReporter(), force=True).summary


def test_the_golden_inputs_give_the_golden_numbers(shared: Path, tmp_path: Path) -> None:
    inputs = np.load(shared / "golden" / "omap" / "inputs.npz")
    path = tmp_path / "golden.parquet"
    table = {
        "clip_id": [f"clip{index}" for index in range(200)],
        "scores": pa.FixedSizeListArray.from_arrays(inputs["scores"].reshape(-1), 527),
        "targets": [np.flatnonzero(row) for row in inputs["targets"]],
    }
    files = {
        "scores": path,
        "ontology": shared / "data" / "audioset" / "ontology.json",
        "labels": shared / "data" / "audioset" / "class_labels_indices.csv",
    }
    summary = evaluate(files, table, resamples=0)
    expected = json.loads((shared / "golden" / "omap" / "expected.json").read_text())
    assert summary.OmAP == pytest.approx(expected["OmAP"], abs=1e-9)
    assert summary.OmAP_by_coarse_level == pytest.approx(expected["OmAP_by_coarse_level"], abs=1e-9)
    ap = np.load(shared / "golden" / "omap" / "expected.npz")["ap"].mean(axis=0)
    assert [label.OmAP for label in summary.per_label] == pytest.approx(ap, abs=1e-9)
    assert (summary.clips, summary.labels, summary.labels_without_positives) == (200, 527, 0)
    assert summary.mAP_interval.low is None
    assert summary.per_label[1].label == "Male speech, man speaking"


def test_measures_by_hand(files: dict[str, Path]) -> None:
    summary = evaluate(files, columns())
    ap = {label.mid: label.AP for label in summary.per_label}
    assert ap == {"/m/dog": 1.0, "/m/bark": 1.0, "/m/cat": pytest.approx((1 + 2 / 3) / 2)}
    assert summary.mAP == pytest.approx(17 / 18)
    # dog-bark 1, dog-cat 2, bark-cat 3: at level 0 and 1, clip d has no label and does not count.
    assert summary.OmAP_by_coarse_level == (1.0, 1.0, 1.0, 1.0)
    assert summary.clips_without_labels == 1
    assert [label.AUC for label in summary.per_label] == [1.0, 1.0, 0.75]
    assert summary.name == "scores"
    assert summary.split is None
    assert summary.difference is None


def test_json_has_no_infinity(files: dict[str, Path]) -> None:
    summary = evaluate(files, columns())
    document = json.loads(json.dumps(summary.model_dump(mode="json"), allow_nan=False))
    assert document["per_label"][0]["AUC"] == 1.0
    assert document["per_label"][0]["d_prime"] is None
    for key in ("mAP", "OmAP", "OmAP_by_coarse_level", "AUC", "d_prime", "clips", "labels"):
        assert key in document


def test_the_seed_decides_the_intervals(files: dict[str, Path]) -> None:
    first, again = evaluate(files, columns()), evaluate(files, columns())
    assert first == again
    assert first.mAP_interval.low is not None
    assert first.mAP_interval.low <= first.mAP


@pytest.mark.parametrize("missing", ["ontology", "labels"])
def test_both_the_ontology_and_the_labels_are_needed(files: dict[str, Path], missing: str) -> None:
    with pytest.raises(UsageError, match="--scores needs --ontology and --labels"):
        evaluate(files, columns(), **{missing: None})


def test_a_label_that_the_ontology_lacks(files: dict[str, Path]) -> None:
    files["labels"].write_text("index,mid,display_name\n0,/m/dog,dog\n1,/m/bark,b\n2,/m/cow,cow\n")
    with pytest.raises(SpaError, match="/m/cow"):
        evaluate(files, columns())


def test_labels_in_two_pieces_of_the_ontology_are_counted(files: dict[str, Path]) -> None:
    nodes = json.loads(files["ontology"].read_text())
    nodes[0]["child_ids"] = ["/m/dog"]
    files["ontology"].write_text(json.dumps(nodes))
    pq.write_table(pa.table(columns()), files["scores"])
    reporter = QuietReporter()
    settings = EvaluateSettings.model_validate({"resamples": 0, **files})
    summary = run_stage(EVALUATE, settings, files["scores"].parent / "none", reporter).summary
    assert summary.disconnected_label_pairs == 2
    assert len(summary.OmAP_by_coarse_level) == 3
    assert any("2 pairs of labels have no path" in warning for warning in reporter.warnings)


@pytest.mark.parametrize("edges", [[], ["/m/dog", "/m/bark", "/m/cat"]])
def test_a_flat_ontology_says_nothing(
    files: dict[str, Path], tmp_path: Path, edges: list[str]
) -> None:
    """Labels without edges, and labels that are all children of one node."""
    flat = [
        {"id": mid, "name": mid, "description": "", "child_ids": children}
        for mid, children in [("/m/root", edges), *((mid, []) for mid in MIDS)]
    ]
    (tmp_path / "flat.json").write_text(json.dumps(flat))
    pq.write_table(pa.table(columns()), files["scores"])
    settings = EvaluateSettings.model_validate(
        {"resamples": 0, **files, "ontology": tmp_path / "flat.json"}
    )
    reporter = QuietReporter()
    summary = run_stage(EVALUATE, settings, tmp_path / "none", reporter).summary
    assert summary.OmAP_is_meaningless
    (warning,) = reporter.warnings
    assert "OmAP is meaningless here" in warning
    assert not evaluate(files).OmAP_is_meaningless


def test_what_it_leaves(files: dict[str, Path], tmp_path: Path) -> None:
    summary = evaluate(files, columns())
    folder = tmp_path / "w" / "runs" / "scores"
    assert sorted(path.name for path in folder.iterdir()) == ["metrics.parquet", "report.html"]
    assert tmp_path / "w" / summary.report == folder / "report.html"
    rows = read_parquet(folder / "metrics.parquet", "metrics").to_pylist()
    assert {"metric": "mAP", "value": summary.mAP}.items() <= rows[0].items()
    named = evaluate(files, columns(), name="panns")
    assert named.report == "runs/panns/report.html"


def test_the_name_of_a_run_with_a_model_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    model = tmp_path / "w" / "runs" / "scores" / "model.safetensors"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"weights")
    with pytest.raises(UsageError, match=r"the run 'scores' of .* is a model's"):
        evaluate(files, columns())
    assert [path.name for path in model.parent.iterdir()] == ["model.safetensors"]


def test_two_files_are_compared(files: dict[str, Path], tmp_path: Path) -> None:
    """The other file has the clips in another order, and the true labels always on top."""
    perfect = [[float(index in row) for index in range(3)] for row in TARGETS]
    other = {**columns(), "scores": pa.array(perfect, pa.list_(pa.float64()))}
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table(other).take([3, 1, 0, 2]), path)
    summary = evaluate(files, columns(), against=str(path))
    assert summary.difference is not None
    assert summary.difference.mAP.value == pytest.approx(17 / 18 - 1)
    assert summary.difference.per_label[2].AP is not None
    assert summary.difference.per_label[2].AP.value == pytest.approx((1 + 2 / 3) / 2 - 1)
    assert summary.difference.labels_compared == 0
    assert summary.difference.AP_lost == ()


def test_only_listed_clips(files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "clips.txt").write_text("b\na\nnever-scored\n")
    summary = evaluate(files, columns(), clips=tmp_path / "clips.txt")
    assert summary.clips == 2
    assert summary.coverage is not None
    assert summary.coverage.model_dump() == {
        "listed": 3,
        "evaluated": 2,
        "unscored": 1,
        "unscored_by_other": None,
        "not_listed": 2,
        "share": pytest.approx(2 / 3),
    }
    assert [label.positives for label in summary.per_label] == [1, 1, 1]


def test_groups_are_drawn_whole(files: dict[str, Path]) -> None:
    written = {**columns(), "recording": pa.array(["r", "r", "s", "s"])}
    summary = evaluate(files, written, group_by="recording")
    assert (summary.group_by, summary.groups) == ("recording", 2)
    assert summary.mAP == evaluate(files, columns()).mAP


@pytest.mark.parametrize("groups", [1, 4])
def test_intervals_of_few_clips(files: dict[str, Path], groups: int) -> None:
    """One group has none: every resample would be the same. A few get a warning."""
    written = {**columns(), "take": pa.array([f"{index % groups}" for index in range(4)])}
    pq.write_table(pa.table(written), files["scores"])
    settings = EvaluateSettings.model_validate({"resamples": 20, "group_by": "take", **files})
    reporter = QuietReporter()
    summary = run_stage(EVALUATE, settings, files["scores"].parent / "w", reporter).summary
    assert (summary.mAP_interval.low is None) == (groups == 1)
    expected = "there are no intervals" if groups == 1 else "only 4 groups by take"
    assert any(expected in warning for warning in reporter.warnings)


def test_scores_that_are_no_probabilities(files: dict[str, Path]) -> None:
    """Logits give the same order, so the same mAP; as many tags count as confident as are true."""
    logits = [[10 * score - 5 for score in row] for row in SCORES]
    summary = evaluate(files, {**columns(), "scores": pa.array(logits, pa.list_(pa.float64()))})
    plain = evaluate(files, columns())
    assert (summary.mAP, summary.OmAP) == pytest.approx((plain.mAP, plain.OmAP))
    assert not summary.scores_are_probabilities
    assert (summary.thresholds, summary.calibration) == (None, None)
    assert summary.severity.threshold == pytest.approx(10 * 0.6 - 5)
    # The true labels of a and b score as much, and a false one of c: bark, 3 edges from cat.
    assert summary.severity.false_positives == 1
    assert summary.severity.mean_distance is not None
    assert summary.severity.mean_distance.value == 3
    assert plain.thresholds is not None
    assert plain.thresholds[0].recall_micro == 3 / 4


def test_one_label_a_clip_has_top_k(files: dict[str, Path]) -> None:
    single = {**columns(), "targets": pa.array([[0], [2], [2], [1]], pa.list_(pa.int32()))}
    summary = evaluate(files, single, top_k=(1, 2, 3))
    assert summary.top_k is not None
    # b alone is right at first; a too; of c and d the true label is last, then second.
    assert {top.k: top.accuracy.value for top in summary.top_k} == {1: 0.5, 2: 0.75}
    assert evaluate(files, columns()).top_k is None


def test_a_report_of_one_clip_and_one_label(files: dict[str, Path]) -> None:
    files["labels"].write_text("index,mid,display_name\n0,/m/dog,dog\n")
    one = {
        "clip_id": pa.array(["a"]),
        "scores": pa.array([[0.5]], pa.list_(pa.float32())),
        "targets": pa.array([[0]], pa.list_(pa.int32())),
    }
    summary = evaluate(files, one)
    assert (summary.mAP, summary.OmAP, summary.AUC) == (1.0, 1.0, None)
    assert summary.severity.random_mean_distance is None
    assert (files["scores"].parent / "w" / summary.report).stat().st_size > 10_000


def test_a_model_of_logits_and_one_of_probabilities_have_the_same_tags(
    files: dict[str, Path], tmp_path: Path
) -> None:
    """The same order of all scores: of both, as many tags count as confident as are true."""
    logits = [[10 * score - 5 for score in row] for row in SCORES]
    other = {**columns(), "scores": pa.array(logits, pa.list_(pa.float64()))}
    pq.write_table(pa.table(other), tmp_path / "logits.parquet")
    written = {**columns(), "scores": pa.array(SCORES, pa.list_(pa.float64()))}
    summary = evaluate(files, written, against=str(tmp_path / "logits.parquet"))
    assert summary.severity.matched
    assert summary.thresholds is not None
    assert summary.difference is not None
    assert summary.difference.severity is not None
    assert summary.difference.severity.value == 0
    assert summary.difference.other_mAP.value == summary.mAP
    assert "as many as there are true tags" in (tmp_path / "w" / summary.report).read_text()


def warnings_of(files: dict[str, Path], **changes: object) -> list[str]:
    settings = EvaluateSettings.model_validate({"resamples": 0, **files, **changes})
    reporter = QuietReporter()
    run_stage(EVALUATE, settings, files["scores"].parent / "w", reporter)
    return reporter.warnings


def test_a_file_of_the_same_name_replaces_with_a_warning(
    files: dict[str, Path], tmp_path: Path
) -> None:
    pq.write_table(pa.table(columns()), files["scores"])
    other = tmp_path / "other" / "scores.parquet"
    other.parent.mkdir()
    pq.write_table(pa.table(columns()).slice(0, 3), other)
    assert warnings_of(files) == []
    assert warnings_of(files, threshold=(0.2,)) == []
    (warning,) = warnings_of(files, scores=other)
    assert f"the results of {files['scores']} in runs/scores are replaced" in warning


def test_what_is_said_of_logits_and_of_few_resamples(files: dict[str, Path]) -> None:
    many = {key: pa.concat_arrays([value] * 20) for key, value in columns().items()}
    many["clip_id"] = pa.array([f"clip{index}" for index in range(80)])
    pq.write_table(pa.table(many), files["scores"])
    (few,) = warnings_of(files, resamples=20)
    assert "20 resamples are too few" in few
    logits = [[10 * score - 5 for score in row] for row in SCORES] * 20
    pq.write_table(pa.table({**many, "scores": pa.array(logits)}), files["scores"])
    (said,) = warnings_of(files)
    assert "no probabilities" in said


def test_labels_too_far_apart_to_be_measured(files: dict[str, Path]) -> None:
    """A chain of 300 nodes between dog and cat."""
    chain = [f"/m/{index}" for index in range(300)]
    nodes = [
        {"id": mid, "name": mid, "description": "", "child_ids": [child]}
        for mid, child in zip(["/m/dog", *chain], [*chain, "/m/cat"], strict=True)
    ]
    nodes += [{"id": mid, "name": mid, "description": "", "child_ids": []} for mid in MIDS[1:]]
    files["ontology"].write_text(json.dumps(nodes))
    with pytest.raises(SpaError, match=r"'/m/dog' and '/m/bark' are 302 edges apart"):
        evaluate(files, columns())


def test_the_split_of_a_file_is_refused(files: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="--split is for models"):
        evaluate(files, columns(), split="valid")


def test_repeated_thresholds_count_once(files: dict[str, Path], tmp_path: Path) -> None:
    summary = evaluate(files, columns(), threshold=(0.5, 0.5, 0.50000001))
    assert summary.thresholds is not None
    assert [at.threshold for at in summary.thresholds] == [0.5, 0.50000001]
    rows = read_parquet(tmp_path / "w/runs/scores/metrics.parquet", "metrics").to_pylist()
    keys = [(row["metric"], row["label_index"], row["coarse_level"]) for row in rows]
    assert len(set(keys)) == len(keys)
