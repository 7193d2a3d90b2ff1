"""The train stage on made tones: what it writes, and what it refuses."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch

from stages.embed_labels.settings import EmbedLabelsSettings
from stages.errors import ArtifactError, MissingInputError, SpaError
from stages.models.checkpoint import load_checkpoint
from stages.pipeline import EMBED_LABELS, PREPARE, TRAIN
from stages.prepare.settings import PrepareSettings
from stages.reporter import QuietReporter
from stages.runner import run_stage
from stages.train.config import read_config
from stages.train.settings import TrainSettings, TrainSummary

FAST = {"epochs": 2, "batch_size": 8}


@pytest.fixture(scope="module")
def workspace(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train") / "W"
    run_stage(PREPARE, PrepareSettings(source=tones, workers=1), folder, QuietReporter())
    run_stage(EMBED_LABELS, EmbedLabelsSettings(text_encoder="minilm"), folder, QuietReporter())
    return folder


def train(workspace: Path, **settings: object) -> TrainSummary:
    chosen = TrainSettings.model_validate(FAST | settings)
    return run_stage(TRAIN, chosen, workspace, QuietReporter()).summary


def edit(path: Path, change: dict[str, pa.Array] | pa.Array) -> None:
    """Rewrite a Parquet artifact: columns replaced, or rows chosen by a mask."""
    table = pq.read_table(path)
    if isinstance(change, dict):
        for name, values in change.items():
            index = table.schema.get_field_index(name)
            table = table.set_column(index, table.schema.field(name), values)
    else:
        table = table.filter(change)
    pq.write_table(table, path)


@pytest.fixture
def copy(workspace: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(workspace, tmp_path / "W"))


def test_the_model_file_is_complete(workspace: Path) -> None:
    summary = train(workspace, name="aligned", alignment_weight=0.5)
    found = load_checkpoint(Path(summary.model), torch.device("cpu"))
    header = found.header
    labels = pq.read_table(workspace / "labels.parquet")
    assert list(header.mids) == labels["mid"].to_pylist()
    assert header.clip_seconds == pytest.approx(0.6)
    assert header.text_space is not None
    assert header.text_space.text_encoder == "minilm"
    assert header.text_space.prompts[0].startswith("Sound > ")
    assert header.training["alignment_weight"] == 0.5
    assert header.metrics["valid_mAP"] == summary.valid_map
    assert len(header.ontology_sha256) == 64
    assert '"clips.parquet"' in header.lineage


@pytest.mark.parametrize(
    ("choices", "names"),
    [
        ({"alignment": "head"}, {"pull.texts"}),
        ({"alignment": "head", "text_pull": 0}, set()),
        ({"alignment": "mean", "text_pull": 0}, {"projection.weight", "projection.bias"}),
        ({"alignment": "soft"}, {"projection.weight", "projection.bias", "pull.texts"}),
        ({"alignment_weight": 0, "smoothing": "text"}, set()),
    ],
)
def test_the_model_has_what_scoring_needs_of_the_texts(
    workspace: Path, choices: dict[str, object], names: set[str]
) -> None:
    summary = train(workspace, name="texts", epochs=1, **choices)
    found = load_checkpoint(Path(summary.model), torch.device("cpu"))
    others = {name for name in found.tagger.state_dict() if not name.startswith(("enc", "head."))}
    assert others == names
    if "pull.texts" in names:
        assert found.header.text_pull == 2
        assert found.header.text_space is not None
        assert found.header.text_space.prompts[0].startswith("Sound > ")


def test_history_has_losses_and_validation_of_every_epoch(workspace: Path) -> None:
    train(workspace, name="history", alignment_weight=0.5)
    rows = pq.read_table(workspace / "runs" / "history" / "history.parquet").to_pylist()
    names = {row["name"] for row in rows if row["epoch"] == 2}
    losses = {"train/loss", "train/classification", "train/alignment"}
    assert names == losses | {"train/learning_rate", "valid/mAP", "valid/OmAP"}
    assert list((workspace / "runs" / "history" / "tensorboard").rglob("events*"))


def test_one_hot_needs_no_label_embeddings(copy: Path) -> None:
    (copy / "label_embeddings.parquet").unlink()
    summary = train(copy, name="plain", alignment_weight=0)
    header = load_checkpoint(Path(summary.model), torch.device("cpu")).header
    assert header.text_space is None
    with pytest.raises(MissingInputError, match="label_embeddings"):
        train(copy, name="aligned", alignment_weight=0.5)


def test_without_validation_clips_the_last_epoch_is_kept(copy: Path) -> None:
    clips = pq.read_table(copy / "clips.parquet")
    edit(copy / "clips.parquet", pc.not_equal(clips["split"], "valid"))
    reporter = QuietReporter()
    settings = TrainSettings(name="x", alignment_weight=0, epochs=2, batch_size=8, valid_share=0)
    summary = run_stage(TRAIN, settings, copy, reporter).summary
    assert summary.best_epoch == 2
    assert summary.valid_map is None
    assert reporter.warnings == ["no validation clips: the last epoch is kept"]


def test_of_means_that_measure_the_same_the_one_of_most_epochs_is_kept(copy: Path) -> None:
    """A frozen encoder, and a head that hardly moves, measure the same after every epoch."""
    still = {"alignment_weight": 0, "learning_rate": 1e-9, "freeze_encoder": True}
    mean = train(copy, name="mean", epochs=8, **still)
    rows = pq.read_table(copy / "runs" / "mean" / "history.parquet").to_pylist()
    assert len({row["value"] for row in rows if row["name"] == "valid/mAP"}) == 1
    assert (mean.best_epoch, mean.best_averaged) == (8, True)
    single = train(copy, name="single", epochs=3, average="none", **still)
    assert (single.best_epoch, single.best_averaged) == (1, False)


def test_an_epoch_of_many_times_the_clips_is_said(copy: Path) -> None:
    reporter = QuietReporter()
    settings = TrainSettings(name="x", alignment_weight=0, epochs=1, clips_per_epoch=300)
    clips = run_stage(TRAIN, settings, copy, reporter).summary.train_clips
    said = f"an epoch is 300 draws from {clips} clips: --clips-per-epoch makes it shorter"
    assert reporter.warnings == [said]


def test_no_training_clip(copy: Path) -> None:
    clips = pq.read_table(copy / "clips.parquet")
    edit(copy / "clips.parquet", pc.not_equal(clips["split"], "train"))
    with pytest.raises(SpaError, match="no clip in the split 'train'"):
        train(copy, alignment_weight=0)


def test_label_embeddings_of_other_labels(copy: Path) -> None:
    mids = pq.read_table(copy / "label_embeddings.parquet")["mid"].to_pylist()
    swapped = pa.array([mids[1], mids[0], *mids[2:]])
    edit(copy / "label_embeddings.parquet", {"mid": swapped})
    with pytest.raises(ArtifactError, match="was made for other labels: label 0 is"):
        train(copy, alignment_weight=0.5)


def test_label_embeddings_that_are_not_finite(copy: Path) -> None:
    path = copy / "label_embeddings.parquet"
    column = pq.read_table(path)["embedding"]
    broken = pa.array([[float("nan")] * 384] * len(column), type=column.type)
    edit(path, {"embedding": broken})
    with pytest.raises(ArtifactError, match="zero or not finite"):
        train(copy, alignment_weight=0.5)


def test_a_loss_that_is_no_number_stops_the_training(copy: Path) -> None:
    with pytest.raises(SpaError, match=r"not a number in step|not numbers") as raised:
        train(
            copy,
            name="wild",
            alignment_weight=0,
            learning_rate=10,
            weight_decay=10,
            epochs=20,
        )
    assert "--learning-rate" in str(raised.value.next_step)
    assert not (copy / "runs" / "wild" / "model.safetensors").exists()
    if "best model before that is" in raised.value.message:
        kept = raised.value.message.rpartition("best model before that is ")[2]
        assert load_checkpoint(Path(kept), torch.device("cpu")).header.metrics


@pytest.fixture(scope="module")
def mn04(shared: Path) -> str:
    return str(shared / "data" / "weights" / "mn04_as_mAP_432.pt")


def test_published_weights_are_taken_over_without_training(workspace: Path, mn04: str) -> None:
    """The tones' labels are nobody's: their scores are random, which is said."""
    reporter = QuietReporter()
    settings = TrainSettings(name="as-it-is", init=mn04, epochs=0)
    summary = run_stage(TRAIN, settings, workspace, reporter).summary
    assert (summary.encoder, summary.best_epoch, summary.clips_per_second) == ("mn04", 0, 0)
    assert summary.labels_known == 0
    (warning,) = reporter.warnings
    assert "4 of the 4 labels" in warning
    found = load_checkpoint(Path(summary.model), torch.device("cpu"))
    assert not found.header.pads_short_clips
    assert found.header.text_space is None
    published = torch.load(mn04, weights_only=True)
    torch.testing.assert_close(
        found.tagger.state_dict()["encoder.features.0.0.weight"], published["features.0.0.weight"]
    )


def test_published_weights_are_trained_further(workspace: Path, mn04: str) -> None:
    summary = train(workspace, name="tuned", init=mn04, epochs=1, alignment_weight=0.5)
    found = load_checkpoint(Path(summary.model), torch.device("cpu"))
    assert found.header.pads_short_clips
    assert found.header.text_space is not None
    published = torch.load(mn04, weights_only=True)["features.0.0.weight"]
    trained = found.tagger.state_dict()["encoder.features.0.0.weight"]
    assert 0 < (trained - published).abs().max() < 0.1
    history = pq.read_table(workspace / "runs" / "tuned" / "history.parquet").to_pylist()
    rates = [row["value"] for row in history if row["name"] == "train/learning_rate"]
    assert 0 <= min(rates) <= max(rates) <= 3e-4


def test_an_epoch_of_fewer_clips_is_said_and_the_encoders_own_rate_is_kept(
    workspace: Path,
) -> None:
    summary = train(
        workspace, name="few", encoder="mn04", epochs=1, clips_per_epoch=8, alignment_weight=0
    )
    assert (summary.train_clips, summary.clips_per_epoch) == (28, 8)
    assert summary.learning_rate == 8e-4
    assert read_config(workspace / "runs" / "few" / "train.toml")["learning_rate"] == 8e-4
    history = pq.read_table(workspace / "runs" / "few" / "history.parquet").to_pylist()
    (rate,) = (row["value"] for row in history if row["name"] == "train/learning_rate")
    assert 0 < rate <= 8e-4
    assert train(workspace, name="plain-length", epochs=1).clips_per_epoch is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x" * 5000, "File name too long"),
        ("x:" + "x" * 5000, r"no published checkpoint is called 'x:x+\.\.\.'"),
        (".", r"\. is a folder"),
    ],
    ids=["long", "long with a colon", "folder"],
)
def test_weights_that_are_nowhere(workspace: Path, name: str, said: str) -> None:
    with pytest.raises(SpaError, match=said) as caught:
        train(workspace, name="nowhere", init=name, alignment_weight=0)
    assert caught.value.next_step
    assert not (workspace / "runs" / "nowhere").exists()
    assert not list(workspace.glob(".staging-*"))


def test_obce_trains_another_model(workspace: Path) -> None:
    plain = train(workspace, name="bce", alignment_weight=0)
    weighed = train(workspace, name="obce", alignment_weight=0, loss="obce")
    losses = {}
    for name in (plain.name, weighed.name):
        history = pq.read_table(workspace / "runs" / name / "history.parquet").to_pylist()
        losses[name] = [row["value"] for row in history if row["name"] == "train/loss"]
    assert losses["bce"] != losses["obce"]
    assert losses["obce"][-1] < losses["obce"][0]


def test_another_encoder_than_that_of_the_weights(workspace: Path, mn04: str) -> None:
    with pytest.raises(ArtifactError, match="is of the encoder mn04, not cnn14"):
        train(workspace, name="wrong", init=mn04, encoder="cnn14")


def test_no_epoch_needs_weights_to_take_over() -> None:
    with pytest.raises(ValueError, match="--epochs 0 trains nothing"):
        TrainSettings(epochs=0)


def test_a_run_is_trained_further_from_another(workspace: Path, copy: Path) -> None:
    """Its head's rows go to the labels that they are of, in whatever order those are now."""
    first = train(workspace, name="first", alignment_weight=0.5)
    settings = TrainSettings(
        name="second", init=first.model, epochs=0, alignment_weight=0, batch_size=8
    )
    labels = pq.read_table(copy / "labels.parquet")
    order = [2, 0, 3, 1]
    edit(
        copy / "labels.parquet",
        {name: labels[name].take(order) for name in ("mid", "display_name")},
    )
    summary = run_stage(TRAIN, settings, copy, QuietReporter()).summary
    assert (summary.encoder, summary.labels_known) == ("small", 4)
    ours, theirs = (
        load_checkpoint(Path(model), torch.device("cpu")).tagger.state_dict()
        for model in (summary.model, first.model)
    )
    assert torch.equal(ours["head.weight"], theirs["head.weight"][order])
    assert torch.equal(ours["encoder.fc.weight"], theirs["encoder.fc.weight"])
    with pytest.raises(ArtifactError, match="is of the encoder small, not mn04"):
        train(workspace, name="third", init=first.model, encoder="mn04")


def test_a_head_of_unknown_labels_is_left_behind_with_a_word(
    workspace: Path, mn04: str, tmp_path: Path
) -> None:
    weights = torch.load(mn04, weights_only=True)
    for name in ("classifier.5.weight", "classifier.5.bias"):
        weights[name] = weights[name][:521].clone()
    torch.save(weights, tmp_path / "521.pt")
    reporter = QuietReporter()
    settings = TrainSettings(
        name="521", init=str(tmp_path / "521.pt"), epochs=1, batch_size=8, alignment_weight=0
    )
    assert run_stage(TRAIN, settings, workspace, reporter).summary.labels_known == 0
    assert any("a head of 521 labels" in warning for warning in reporter.warnings)


@pytest.mark.parametrize("split", ["train", "valid"])
def test_clips_without_labels(copy: Path, split: str) -> None:
    clips = pq.read_table(copy / "clips.parquet")
    for name in ("mids", "label_indices"):
        column = clips[name]
        emptied = [
            [] if own == split else values
            for own, values in zip(clips["split"].to_pylist(), column.to_pylist(), strict=True)
        ]
        edit(copy / "clips.parquet", {name: pa.array(emptied, type=column.type)})
    reporter = QuietReporter()
    settings = TrainSettings(name="x", alignment_weight=0, epochs=1, batch_size=8)
    if split == "train":
        with pytest.raises(SpaError, match="none of the 28 training clips"):
            run_stage(TRAIN, settings, copy, reporter)
        return
    assert run_stage(TRAIN, settings, copy, reporter).summary.valid_map is None
    assert "none of the 4 validation clips has a label: not used" in reporter.warnings


def test_a_label_that_there_is_none_of(copy: Path) -> None:
    clips = pq.read_table(copy / "clips.parquet")
    column = clips["label_indices"]
    wrong = pa.array([[9], *column.to_pylist()[1:]], type=column.type)
    edit(copy / "clips.parquet", {"label_indices": wrong})
    with pytest.raises(ArtifactError, match="the label 9 of 4"):
        train(copy, alignment_weight=0)
