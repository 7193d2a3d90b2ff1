"""The stage from labels.parquet to label_embeddings.parquet."""

import csv
import json
from hashlib import sha256
from itertools import combinations
from pathlib import Path

import numpy as np
import open_clip
import pyarrow.parquet as pq
import pytest
import torch

from ontology.build import build_ontology
from ontology.database import open_ontology
from ontology.nodes import nodes
from ontology.paths import depths, paths
from stages.artifacts import read_parquet, write_parquet
from stages.embed_labels.settings import EmbedLabelsSettings, EmbedLabelsSummary
from stages.errors import ArtifactError, SpaError, UsageError
from stages.lineage import Lineage
from stages.pipeline import EMBED_LABELS
from stages.reporter import QuietReporter
from stages.runner import Outcome, run_stage
from stages.schemas import label_embeddings

ZOO = [
    {"id": "/m/animal", "name": "Animal", "description": "It lives.", "child_ids": ["/m/dog", "/m/cat"]},
    {"id": "/m/dog", "name": "Dog", "description": "It barks.", "child_ids": ["/m/bark"]},
    {"id": "/m/cat", "name": "Cat", "description": "", "child_ids": []},
    {"id": "/m/bark", "name": "Bark", "description": "The sound of a dog.", "child_ids": []},
]  # fmt: skip
MIDS = ["/m/bark", "/m/animal", "/m/cat", "/m/dog"]

pytestmark = pytest.mark.usefixtures("no_network")


def make_workspace(folder: Path, ontology_json: Path, mids: list[str]) -> Path:
    """What `spa prepare` leaves for embed-labels, for the labels `mids`."""
    database = folder / "ontology.duckdb"
    build_ontology(ontology_json, database)
    with open_ontology(database) as connection:
        by_mid = {node.mid: node for node in nodes(connection)}
        found_paths = paths(connection, mids)
        found_depths = depths(connection)
    columns = {
        "label_index": list(range(len(mids))),
        "mid": mids,
        "display_name": [by_mid[mid].name for mid in mids],
        "description": [by_mid[mid].description for mid in mids],
        "path": [list(path) for path in found_paths],
        "parents": [[] for _ in mids],
        "depth": [found_depths[mid] for mid in mids],
        **{f"clips_{split}": [1] * len(mids) for split in ("train", "valid", "eval")},
    }
    write_parquet(folder / "labels.parquet", "labels", columns, Lineage("prepare", {}, {}, {}))
    return folder


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    (tmp_path / "zoo.json").write_text(json.dumps(ZOO))
    return make_workspace(tmp_path / "workspace", tmp_path / "zoo.json", MIDS)


def run(
    workspace: Path, reporter: QuietReporter | None = None, **settings: object
) -> Outcome[EmbedLabelsSummary]:
    settings = {"text_encoder": "minilm", **settings}
    reporter = reporter or QuietReporter()
    return run_stage(EMBED_LABELS, EmbedLabelsSettings(**settings), workspace, reporter)


@pytest.fixture(scope="module")
def audioset(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shared / "data" / "audioset"
    with (folder / "class_labels_indices.csv").open(encoding="utf-8", newline="") as file:
        mids = [row["mid"] for row in csv.DictReader(file)]
    return make_workspace(tmp_path_factory.mktemp("audioset"), folder / "ontology.json", mids)


@pytest.mark.parametrize(
    ("prompt", "spearman"), [("{name}", 0.134), ("{description}", 0.307), ("{path}", 0.374)]
)
def test_audioset_texts_follow_the_ontology_as_measured(
    audioset: Path, prompt: str, spearman: float
) -> None:
    """Origin: distances by networkx, embeddings as sentence-transformers makes them."""
    summary = run(audioset, prompt=prompt).summary
    assert (summary.labels, summary.dimensions) == (527, 384)
    assert summary.spearman == pytest.approx(spearman, abs=0.003)


def test_the_artifact_holds_unit_embeddings_in_label_order(zoo: Path) -> None:
    summary = run(zoo).summary
    path = zoo / "label_embeddings.parquet"
    table = read_parquet(path, "label_embeddings")
    assert table.schema.equals(label_embeddings(384))
    assert table["label_index"].to_pylist() == [0, 1, 2, 3]
    assert table["mid"].to_pylist() == MIDS
    assert table["prompt"].to_pylist() == [
        "Animal > Dog > Bark", "Animal", "Animal > Cat", "Animal > Dog",
    ]  # fmt: skip
    embeddings = np.stack(table["embedding"].to_numpy())
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)
    cosine = embeddings @ embeddings.T
    assert cosine[0, 3] > cosine[0, 2]  # a bark is nearer to a dog than to a cat
    metadata = pq.read_schema(path).metadata
    assert metadata[b"spa.text_encoder"] == b"minilm"
    assert metadata[b"spa.weights_sha256"].startswith(b"53aa51172d142c89")
    assert metadata[b"spa.prompt"] == b"{path}"
    assert json.loads(metadata[b"spa.spearman"]) == summary.spearman


def test_near_duplicates_are_those_of_the_stored_embeddings(zoo: Path) -> None:
    summary = run(zoo, near_duplicate_cosine=0.7).summary
    path = zoo / "label_embeddings.parquet"
    embeddings = np.stack(read_parquet(path, "label_embeddings")["embedding"].to_numpy())
    names = ["Bark", "Animal", "Cat", "Dog"]
    near = {
        (names[i], names[j])
        for i, j in combinations(range(4), 2)
        if embeddings[i] @ embeddings[j] >= 0.7
    }
    assert {(pair.label, pair.other) for pair in summary.near_duplicates} == near
    assert 0 < len(near) < 6
    found = [pair.cosine for pair in summary.near_duplicates]
    assert found == sorted(found, reverse=True)
    stored = json.loads(pq.read_schema(path).metadata[b"spa.near_duplicates"])
    assert stored == [pair.model_dump() for pair in summary.near_duplicates]


def test_the_same_command_writes_the_same_bytes(zoo: Path) -> None:
    path = zoo / "label_embeddings.parquet"
    assert not run(zoo).unchanged
    first = path.read_bytes()
    assert run(zoo).unchanged
    path.unlink()
    assert not run(zoo).unchanged
    assert path.read_bytes() == first


def test_nothing_is_printed(zoo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run(zoo)
    assert capfd.readouterr() == ("", "")


def test_labels_without_description_are_warned_of(zoo: Path) -> None:
    reporter = QuietReporter()
    run(zoo, reporter, prompt="{description}")
    assert reporter.warnings == [
        "no description for 1 of 4 labels (Cat): their names stand in for it"
    ]
    prompts = read_parquet(zoo / "label_embeddings.parquet", "label_embeddings")["prompt"]
    assert prompts.to_pylist()[2] == "Cat"


def test_too_few_labels_have_no_correlation_and_a_warning(tmp_path: Path) -> None:
    (tmp_path / "zoo.json").write_text(json.dumps(ZOO))
    workspace = make_workspace(tmp_path / "two", tmp_path / "zoo.json", MIDS[:2])
    reporter = QuietReporter()
    assert run(workspace, reporter).summary.spearman is None
    assert "not defined" in reporter.warnings[0]
    metadata = pq.read_schema(workspace / "label_embeddings.parquet").metadata
    assert metadata[b"spa.spearman"] == b"null"


def test_a_local_clip_checkpoint_embeds_labels(zoo: Path, tmp_path: Path) -> None:
    text = {"context_length": 16, "vocab_size": 49408, "width": 8, "heads": 2, "layers": 1}
    images = {"image_size": 8, "layers": 1, "width": 8, "head_width": 8, "patch_size": 8}
    config = tmp_path / "stage-clip.json"
    config.write_text(json.dumps({"embed_dim": 12, "vision_cfg": images, "text_cfg": text}))
    open_clip.add_model_config(config)
    torch.manual_seed(4)
    weights = tmp_path / "weights.pt"
    torch.save(open_clip.CLIP(12, images, text).state_dict(), weights)
    summary = run(zoo, text_encoder=f"open_clip:stage-clip/{weights}").summary
    assert summary.text_encoder == "open_clip:stage-clip/weights.pt"
    assert summary.weights_sha256 == sha256(weights.read_bytes()).hexdigest()
    assert summary.dimensions == 12
    zeros = {key: torch.zeros_like(value) for key, value in torch.load(weights).items()}
    torch.save(zeros, tmp_path / "zeros.pt")
    with pytest.raises(ArtifactError, match="embeddings of no direction"):
        run(zoo, text_encoder=f"open_clip:stage-clip/{tmp_path / 'zeros.pt'}")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"text_encoder": "word2vec"}, "unknown text encoder 'word2vec'"),
        ({"prompt": "{title}"}, "may not use '{title}'"),
        ({"prompt": "{name"}, "is broken"),
    ],
)
def test_a_wrong_setting_leaves_the_workspace_as_it_was(
    zoo: Path, settings: dict[str, str], message: str
) -> None:
    run(zoo)
    before = (zoo / "label_embeddings.parquet").read_bytes()
    with pytest.raises(UsageError, match=message):
        run(zoo, **settings)
    assert (zoo / "label_embeddings.parquet").read_bytes() == before
    assert {path.name for path in zoo.iterdir()} == {
        "label_embeddings.parquet", "labels.parquet", "lineage", "ontology.duckdb",
    }  # fmt: skip


def test_labels_of_another_schema_are_refused(zoo: Path) -> None:
    path = zoo / "labels.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["path"]), path)
    with pytest.raises(ArtifactError, match=r"labels\.parquet has no column 'path'"):
        run(zoo)


def test_no_labels_at_all_are_refused(zoo: Path) -> None:
    path = zoo / "labels.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(ArtifactError, match="has no labels"):
        run(zoo)


def test_a_label_that_the_ontology_lacks_is_named(zoo: Path, tmp_path: Path) -> None:
    (tmp_path / "zoo.json").write_text(json.dumps([node | {"child_ids": []} for node in ZOO[:3]]))
    build_ontology(tmp_path / "zoo.json", zoo / "ontology.duckdb")
    with pytest.raises(SpaError, match="/m/bark"):
        run(zoo)
