"""`spa evaluate --scores`: anybody's predictions, with no workspace."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.errors import SpaError, UsageError
from stages.evaluate.settings import EvaluateSettings, EvaluateSummary
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
    workspace = files["scores"].parent / "no-workspace"
    summary = run_stage(EVALUATE, settings, workspace, QuietReporter()).summary
    assert not workspace.exists()
    return summary


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
    assert summary.name == str(files["scores"])
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


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.field("item", pa.float64())),
        pa.list_(pa.field("element", pa.float32(), nullable=False)),
        pa.large_list(pa.float16()),
        pa.list_(pa.float32(), 3),
    ],
)
@pytest.mark.parametrize("text", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_any_list_and_text_type(
    files: dict[str, Path], kind: pa.DataType, text: pa.DataType
) -> None:
    plain = evaluate(files, columns())
    rows = [np.array(row, dtype=kind.value_type.to_pandas_dtype()) for row in SCORES]
    written = {
        "clip_id": pa.array(["a", "b", "c", "d"]).cast(text),
        "scores": pa.array(rows, kind),
        "targets": pa.array(TARGETS, pa.large_list(pa.uint16())),
        "another": pa.array([1, 2, 3, 4]),
    }
    found = evaluate(files, written)
    assert found.OmAP_by_coarse_level == plain.OmAP_by_coarse_level
    assert found.mAP == plain.mAP


def with_column(name: str, values: object) -> dict[str, pa.Array]:
    return {**columns(), name: values}


def row(changed: list[float | None]) -> list[list[float | None]]:
    return [SCORES[0], changed, SCORES[2], SCORES[3]]


BAD = {
    "NaN": (
        with_column("scores", row([0.1, float("nan"), 0.2])),
        r"clip 1 has score nan for label 1 \(clip_id 'b', label '/m/bark'\)",
    ),
    "infinite": (
        with_column("scores", row([0.1, 0.2, float("inf")])),
        "clip_id 'b', label '/m/cat'",
    ),
    "narrow row": (with_column("scores", row([0.1, 0.2])), "clip 'b' has 2 scores for 3 labels"),
    "empty row": (with_column("scores", row([])), "clip 'b' has 0 scores for 3 labels"),
    "null score": (with_column("scores", row([0.1, None, 0.2])), "clip 'b' has a null in 'scores'"),
    "null row": (
        with_column("scores", pa.array([SCORES[0], None, *SCORES[2:]])),
        "clip 'b' has a null in 'scores'",
    ),
    "null target": (
        with_column("targets", pa.array([[0, 1], [2], [None], []], pa.list_(pa.int32()))),
        "clip 'c' has a null in 'targets'",
    ),
    "target out of range": (
        with_column("targets", [[0, 1], [2], [3], []]),
        r"clip 2 has target 3; with 3 labels, 0 to 2 are possible \(clip_id 'c'\)",
    ),
    "negative target": (with_column("targets", [[0, 1], [2], [-1], []]), r"target -1.*clip_id 'c'"),
    "target twice": (
        with_column("targets", [[0, 1], [2, 2], [0], []]),
        r"clip 1 has target 2 twice \(clip_id 'b'\)",
    ),
    "no label anywhere": (
        with_column("targets", pa.array([[], [], [], []], pa.list_(pa.int32()))),
        "none of the 4 clips has a label",
    ),
    "clip twice": (with_column("clip_id", ["a", "b", "a", "d"]), "clip_id 'a' is there twice"),
    "no clip_id": (with_column("clip_id", ["a", None, "c", "d"]), "row 1 has no clip_id"),
    "numbers for clips": (with_column("clip_id", [1, 2, 3, 4]), "column 'clip_id' is int64"),
    "text for scores": (with_column("scores", [["x"]] * 4), "column 'scores' is list<.*string>"),
    "plain scores": (with_column("scores", [0.1] * 4), "column 'scores' is double"),
    "multi-hot floats": (with_column("targets", [[1.0]] * 4), "column 'targets' is list<.*double>"),
    "no targets": (
        {key: value for key, value in columns().items() if key != "targets"},
        r"has the columns \['clip_id', 'scores'\], not one 'targets'",
    ),
    "no clips": ({key: value[:0] for key, value in columns().items()}, "has no clips"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_scores_are_named(files: dict[str, Path], name: str) -> None:
    written, message = BAD[name]
    with pytest.raises(SpaError, match=message) as caught:
        evaluate(files, written)
    assert str(files["scores"]) in caught.value.message
    assert "\n" not in caught.value.message


def test_a_file_of_another_kind(files: dict[str, Path]) -> None:
    files["scores"].write_bytes(b"clip_id,scores\n")
    with pytest.raises(SpaError, match="cannot be read as Parquet"):
        evaluate(files)
    files["scores"].unlink()
    with pytest.raises(SpaError, match="cannot be read as Parquet"):
        evaluate(files)


def test_a_cut_off_file(files: dict[str, Path]) -> None:
    many = {key: pa.concat_arrays([value] * 2000) for key, value in columns().items()}
    many["clip_id"] = pa.array([f"clip{index}" for index in range(8000)])
    pq.write_table(pa.table(many), files["scores"])
    content = bytearray(files["scores"].read_bytes())
    content[100 : len(content) // 2] = b"\xff" * (len(content) // 2 - 100)
    files["scores"].write_bytes(content)
    with pytest.raises(SpaError, match="cannot be read as Parquet"):
        evaluate(files)


@pytest.mark.parametrize("missing", ["ontology", "labels"])
def test_both_the_ontology_and_the_labels_are_needed(files: dict[str, Path], missing: str) -> None:
    with pytest.raises(UsageError, match="--scores needs --ontology and --labels"):
        evaluate(files, columns(), **{missing: None})


@pytest.mark.parametrize("option", ["name", "against"])
def test_runs_and_scores_do_not_mix(files: dict[str, Path], option: str) -> None:
    with pytest.raises(UsageError, match="--scores stands alone"):
        evaluate(files, columns(), **{option: "main"})


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
