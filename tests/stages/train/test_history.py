"""What a training measured, as TensorBoard shows it."""

from contextlib import suppress
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from stages.train.history import History


def shown(tensorboard: Path) -> list[tuple[str, int, float]]:
    (folder,) = tensorboard.iterdir()
    events = EventAccumulator(str(folder))
    events.Reload()
    return sorted(
        (name, event.step, event.value)
        for name in events.Tags()["scalars"]
        for event in events.Scalars(name)
    )


def test_nothing_is_written_before_the_training_can_be_gone_on_with(tmp_path: Path) -> None:
    with (
        suppress(KeyboardInterrupt),
        History(tmp_path / "runs" / "a" / "tensorboard") as made,
    ):
        made.open()
        made.add(7, 1, "train/loss", 0.5)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_what_was_measured_before_is_shown_then(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), History(tmp_path / "events") as made:
        made.open()
        made.add(7, 1, "train/loss", 0.5)
        made.add(7, 1, "valid/mAP", 0.25)
        made.keep()
        made.add(14, 2, "train/loss", 0.125)
        made.keep()
        raise KeyboardInterrupt
    assert shown(tmp_path / "events") == [
        ("train/loss", 7, 0.5),
        ("train/loss", 14, 0.125),
        ("valid/mAP", 7, 0.25),
    ]


@pytest.mark.parametrize("kept", [True, False], ids=["events kept", "killed before any event"])
def test_going_on_appends_and_hides_what_is_done_again(tmp_path: Path, kept: bool) -> None:
    with History(tmp_path / "events") as first:
        first.open()
        first.add(7, 1, "train/loss", 0.5)
        saved = {name: list(values) for name, values in first.columns.items()}
        if kept:
            first.keep()
            first.add(14, 2, "train/loss", 0.75)  # after the saved state
    with History(tmp_path / "events") as second:
        second.open(saved, first.events)
        second.add(14, 2, "train/loss", 0.25)
    assert shown(tmp_path / "events") == [("train/loss", 7, 0.5), ("train/loss", 14, 0.25)]
    assert second.columns["value"] == [0.5, 0.25]


def test_a_process_that_writes_nothing_collects_all_the_same(tmp_path: Path) -> None:
    with History(None) as made:
        made.open()
        made.keep()
        made.add(7, 1, "train/loss", 0.5)
    assert made.columns["value"] == [0.5]
    assert list(tmp_path.iterdir()) == []
