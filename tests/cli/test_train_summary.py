"""What `spa train` says when it is done."""

import pytest
from rich.console import Console

from spa_cli.commands.train import show
from stages.train.settings import TrainSummary

DONE = TrainSummary(
    name="main",
    encoder="ast",
    init=None,
    labels_known=0,
    alignment_weight=0.0,
    alignment=None,
    text_temperature=None,
    learning_rate=1e-4,
    parameters=86_600_000,
    device="cpu",
    epochs=2,
    best_epoch=2,
    valid_map=None,
    valid_omap=None,
    train_clips=288,
    valid_clips=0,
    clips_per_second=0.34,
    model="W/runs/main/model.safetensors",
)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "one-hot, 288 clips, 2 epochs on cpu, 0.34 clips/s"),
        (
            {"clips_per_epoch": 100},
            "one-hot, 2 epochs of 100 clips out of 288 on cpu, 0.34 clips/s",
        ),
        ({"epochs": 1}, "one-hot, 288 clips, 1 epoch on cpu, 0.34 clips/s"),
        ({"alignment": "head", "alignment_weight": 0.5}, "alignment head, weight 0.5, 288 clips"),
        ({"epochs": 0, "clips_per_second": 0.0}, "not trained, on cpu"),
    ],
)
def test_the_first_line(
    changed: dict[str, object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show(DONE.model_copy(update=changed), Console())
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(f"run 'main': encoder ast (86.60 M parameters), {said}")
    assert changed.get("epochs") != 0 or "clips" not in first


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "best validation in epoch 2: mAP 0.5000, OmAP 0.7500 (7 clips)"),
        (
            {"best_averaged": True},
            "best validation of averaged weights, up to epoch 2: mAP 0.5000, OmAP 0.7500 (7 clips)",
        ),
        ({"epochs": 0}, "validation: mAP 0.5000, OmAP 0.7500 (7 clips)"),
    ],
)
def test_which_weights_are_kept(
    changed: dict[str, object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    validated = {"valid_map": 0.5, "valid_omap": 0.75, "valid_clips": 7}
    show(DONE.model_copy(update=validated | changed), Console())
    assert capsys.readouterr().out.splitlines()[1] == said
