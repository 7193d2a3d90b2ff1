"""`spa evaluate --model`: any model's file on a workspace's clips, its labels matched by their ids."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from stages.artifacts import read_parquet
from stages.audio.store import AudioStore
from stages.errors import ArtifactError, UsageError
from stages.evaluate.settings import EvaluateSettings
from stages.evaluate.summary import EvaluateSummary
from stages.models.audioset_labels import audioset_labels
from stages.models.checkpoint import ModelHeader, load_checkpoint, save_checkpoint
from stages.models.public_start import open_model
from stages.models.scoring import score_clips
from stages.models.tagger import Tagger
from stages.pipeline import EVALUATE, PREPARE
from stages.prepare.settings import PrepareSettings
from stages.reporter import QuietReporter
from stages.runner import run_stage

CPU = torch.device("cpu")
OWN = ("/t/buzz", "/t/hiss", "/t/hum", "/t/whistle")


class Listening(QuietReporter):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture(scope="module")
def workspace(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("other-model") / "w"
    run_stage(PREPARE, PrepareSettings(source=tones), folder, QuietReporter())
    return folder


def write_model(path: Path, mids: tuple[str, ...], seed: int = 1) -> Path:
    """A random model of which output i is label `mids[i]`; weights of a label follow from its id."""
    torch.manual_seed(seed)
    tagger = Tagger("small", len(mids))
    for row, mid in enumerate(mids):
        generator = torch.Generator().manual_seed(sum(mid.encode()))
        with torch.no_grad():
            tagger.head.weight[row] = torch.randn(256, generator=generator)
            tagger.head.bias[row] = 0.0
    header = ModelHeader(
        encoder="small",
        front_end=tagger.encoder.front_end,
        embedding_dimensions=256,
        mids=mids,
        display_names=mids,
        clip_seconds=0.5,
        text_space=None,
        ontology_sha256="",
        training={},
        metrics={},
        lineage="{}",
    )
    save_checkpoint(path, tagger.state_dict(), header)
    return path


def evaluate(
    workspace: Path, model: Path | str, reporter: QuietReporter | None = None, **settings: object
) -> EvaluateSummary:
    given = EvaluateSettings.model_validate({"model": str(model), "resamples": 0, **settings})
    return run_stage(EVALUATE, given, workspace, reporter or QuietReporter(), force=True).summary


def scores(workspace: Path, name: str) -> np.ndarray:
    table = read_parquet(workspace / "runs" / name / "scores.parquet", "scores")
    return np.array(table["scores"].to_pylist())


def test_outputs_are_matched_by_id_whatever_their_order_and_company(
    workspace: Path, tmp_path: Path
) -> None:
    same = evaluate(workspace, write_model(tmp_path / "same.safetensors", OWN))
    others = ("/t/none", *reversed(OWN), "/m/05tny_")
    mixed = evaluate(workspace, write_model(tmp_path / "mixed.safetensors", others))
    assert same.labels_unknown == mixed.labels_unknown == ()
    np.testing.assert_allclose(scores(workspace, "mixed"), scores(workspace, "same"), atol=1e-6)
    assert mixed.mAP == pytest.approx(same.mAP)
    assert (same.name, same.split, same.clips, same.labels) == ("same", "eval", 8, 4)
    assert same.source == str(tmp_path / "same.safetensors")


def test_an_unknown_label_is_never_given(workspace: Path, tmp_path: Path) -> None:
    reporter = Listening()
    path = write_model(tmp_path / "two.safetensors", ("/t/hum", "/t/none", "/t/buzz"))
    summary = evaluate(workspace, path, reporter)
    assert set(summary.labels_unknown) == {"/t/hiss", "/t/whistle"}
    for label in summary.per_label:
        column = scores(workspace, "two")[:, label.label_index]
        if label.mid in summary.labels_unknown:
            assert (column == 0).all()
            assert pytest.approx(label.positives / summary.clips) == label.AP
            assert pytest.approx(0.5) == label.AUC
        else:
            assert (column > 0).all()
    (warning,) = (text for text in reporter.warnings if "does not know" in text)
    assert "2 of the 4 labels" in warning
    assert "Hiss" in warning
    assert "Whistle" in warning
    page = (workspace / "runs" / "two" / "report.html").read_text()
    assert "Labels that the model does not know: 2 of 4." in page


def test_a_model_that_knows_no_label_is_refused(workspace: Path, tmp_path: Path) -> None:
    path = write_model(tmp_path / "other.safetensors", ("/m/1", "/m/2"))
    with pytest.raises(ArtifactError, match="knows none of the workspace's 4 labels"):
        evaluate(workspace, path)
    assert not (workspace / "runs" / "other").exists()


def test_scores_are_kept_until_the_file_changes(workspace: Path, tmp_path: Path) -> None:
    """Another threshold needs no scoring; another file of the same name does."""
    path = write_model(tmp_path / "kept.safetensors", OWN)
    first = evaluate(workspace, path)
    settings = EvaluateSettings(model=str(path), resamples=0, threshold=(0.2,))
    again = run_stage(EVALUATE, settings, workspace, QuietReporter()).summary
    assert again.mAP == first.mAP
    write_model(path, OWN, seed=2)
    assert not run_stage(EVALUATE, settings, workspace, QuietReporter()).unchanged
    model = load_checkpoint(path, CPU)
    assert model.header.mids == OWN
    assert run_stage(EVALUATE, settings, workspace, QuietReporter()).unchanged


def test_compared_with_another_evaluation(workspace: Path, tmp_path: Path) -> None:
    first = write_model(tmp_path / "first.safetensors", OWN, seed=3)
    second = write_model(tmp_path / "second.safetensors", OWN, seed=4)
    theirs = evaluate(workspace, first)
    ours = evaluate(workspace, second, against="first")
    assert ours.difference is not None
    assert ours.difference.mAP.value == pytest.approx(ours.mAP - theirs.mAP)
    write_model(first, OWN, seed=5)
    with pytest.raises(ArtifactError, match="is of another model than") as caught:
        evaluate(workspace, second, against="first")
    assert f"spa evaluate --model {first} --name first" in str(caught.value.next_step)


def test_names_of_results() -> None:
    def name(model: str, **settings: object) -> str | None:
        return EvaluateSettings.model_validate({"model": model, **settings}).name

    assert name("weights/mn04_as_mAP_432.pt") == "mn04_as_mAP_432"
    assert name("efficientat:mn04_as") == "efficientat-mn04_as"
    assert name("elsewhere/runs/spa/model.safetensors") == "spa"
    assert name("model.safetensors") == "model"
    assert name("x.pt", name="mine") == "mine"


def test_usage(workspace: Path, tmp_path: Path) -> None:
    path = write_model(tmp_path / "x.safetensors", OWN)
    with pytest.raises(UsageError, match="neither a file nor a short name") as caught:
        evaluate(workspace, "main")
    assert "--name main" in str(caught.value.next_step)
    with pytest.raises(ArtifactError, match="not found"):
        evaluate(workspace, tmp_path / "absent.pt")
    with pytest.raises(UsageError, match="both --scores and --model"):
        evaluate(workspace, path, scores="y.csv")
    write_model(workspace / "runs" / "taken" / "model.safetensors", OWN)
    with pytest.raises(UsageError, match=r"the run 'taken' of .* is a model's"):
        evaluate(workspace, path, name="taken")


def test_published_weights_on_recordings(shared: Path, tmp_path: Path) -> None:
    """Three classes of ESC-10: mn04's 527 outputs come down to these three, and it knows them well."""
    source = tmp_path / "esc"
    classes = {"001 - Dog bark": "Bark", "002 - Rain": "Rain", "008 - Chainsaw": "Chainsaw"}
    for folder, name in classes.items():
        (source / name).mkdir(parents=True)
        found = sorted((shared / "data" / "esc10").glob(f"*{folder.split(' - ')[1]}*/*.ogg"))[:6]
        assert len(found) == 6
        for clip in found:
            shutil.copyfile(clip, source / name / clip.name)
    ontology = shared / "data" / "audioset" / "ontology.json"
    prepare = PrepareSettings(source=source, ontology=ontology)
    run_stage(PREPARE, prepare, tmp_path / "w", QuietReporter())
    weights = shared / "data" / "weights" / "mn04_as_mAP_432.pt"
    summary = evaluate(tmp_path / "w", weights, split="train")
    assert summary.labels_unknown == ()
    assert summary.mAP > 0.95
    clips = read_parquet(tmp_path / "w" / "clips.parquet", "clips").to_pylist()
    trained = [clip for clip in clips if clip["split"] == "train"]
    checkpoint = open_model(weights, CPU)
    store = AudioStore(tmp_path / "w" / "audio")
    audio = [store.read(clip["shard"], clip["row"]) for clip in trained]
    expected = np.stack(list(score_clips(checkpoint, audio, 8)))
    labels = read_parquet(tmp_path / "w" / "labels.parquet", "labels").sort_by("label_index")
    columns = [audioset_labels().mids.index(mid) for mid in labels["mid"].to_pylist()]
    found_scores = scores(tmp_path / "w", "mn04_as_mAP_432")
    np.testing.assert_allclose(found_scores, expected[:, columns], atol=1e-5)
