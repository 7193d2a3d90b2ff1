"""Every encoder: ten steps of `spa train` with SPA on the demonstration's clips, then `spa tag`."""

import math
import shutil
from pathlib import Path
from typing import get_args

import pytest
import torch
from safetensors.torch import load_file

from stages.artifacts import read_parquet
from stages.demo_data.settings import DemoDataSettings
from stages.embed_labels.settings import EmbedLabelsSettings
from stages.models.checkpoint import load_checkpoint
from stages.models.encoders import ENCODERS
from stages.models.tagger import Tagger
from stages.pipeline import DEMO_DATA, EMBED_LABELS, PREPARE, TAG, TRAIN
from stages.prepare.settings import PrepareSettings
from stages.reporter import QuietReporter
from stages.runner import run_stage
from stages.tag.settings import TagSettings
from stages.train.settings import EncoderName, TrainSettings

KEPT = {"train": 20, "valid": 4, "eval": 4}
LEARNING_RATE, STEPS = 1e-4, 10


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half-second mixtures of instruments, as the demonstration renders them, but fewer."""
    folder = tmp_path_factory.mktemp("demo") / "w"
    render = DemoDataSettings(
        train_clips=60, valid_clips=20, eval_clips=20, clip_seconds=0.5, workers=1
    )
    run_stage(DEMO_DATA, render, folder, QuietReporter())
    source = folder / "few"
    shutil.copytree(folder / "demo-data", source)
    for split, clips in KEPT.items():
        listed = source / f"{split}_segments.csv"
        lines = listed.read_text(encoding="utf-8").splitlines()
        comments = sum(line.startswith("#") for line in lines)
        listed.write_text("\n".join(lines[: comments + clips]), encoding="utf-8")
    run_stage(PREPARE, PrepareSettings(source=source), folder, QuietReporter())
    embed = EmbedLabelsSettings(text_encoder="minilm")
    run_stage(EMBED_LABELS, embed, folder, QuietReporter())
    return folder


def test_these_are_all_encoders() -> None:
    assert set(get_args(EncoderName)) == set(ENCODERS)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_ten_steps_move_every_weight_and_the_model_tags_a_clip(
    workspace: Path, encoder: str
) -> None:
    settings = TrainSettings.model_validate(
        {
            "name": encoder,
            "encoder": encoder,
            "epochs": 1,
            "batch_size": 2,
            "learning_rate": LEARNING_RATE,
            "alignment": "mean",  # which has a projection
            "device": "cpu",
        }
    )
    summary = run_stage(TRAIN, settings, workspace, QuietReporter()).summary
    assert (summary.train_clips, summary.valid_clips) == (KEPT["train"], KEPT["valid"])
    run = workspace / "runs" / encoder
    history = read_parquet(run / "history.parquet", "history").to_pylist()
    losses = {row["name"]: row["value"] for row in history if row["name"].startswith("train/")}
    assert {"train/loss", "train/classification", "train/alignment"} <= losses.keys()
    assert all(math.isfinite(value) for value in losses.values())
    assert {row["step"] for row in history} == {STEPS}
    check_weights(run / "model.safetensors", encoder)
    clip = next((workspace / "few" / "audio" / "eval").iterdir())
    (run / "model.safetensors").rename(workspace / "model.safetensors")
    shutil.rmtree(run)  # up to a third of a gigabyte, for each encoder
    tag = TagSettings(files=(clip,), model=str(workspace / "model.safetensors"), topk=3)
    (tagged,) = run_stage(TAG, tag, workspace, QuietReporter()).summary.files
    assert tagged.error is None
    assert tagged.duration_seconds == pytest.approx(0.5)
    assert len(tagged.tags) == 3
    scores = [found.score for found in tagged.tags]
    assert all(0 < score < 1 for score in scores)
    assert scores == sorted(scores, reverse=True)


def check_weights(path: Path, encoder: str) -> None:
    """Every parameter has moved from where the seed put it, by no more than Adam can.

    A step of Adam is at most (1 - beta1) / sqrt(1 - beta2) learning rates, here 3.2 (Kingma and Ba, ICLR
    2015, arXiv 1412.6980, section 2.1).
    """
    header = load_checkpoint(path, torch.device("cpu")).header
    assert header.text_space is not None
    torch.manual_seed(0)
    dimensions = header.text_space.dimensions
    before = Tagger(encoder, len(header.mids), dimensions, header.front_end)
    after = load_file(path)
    for name, weights in before.named_parameters():
        moved = float((after[name] - weights.detach()).abs().max())
        assert 0 < moved < 3.2 * LEARNING_RATE * STEPS, name
