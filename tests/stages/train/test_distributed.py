"""Three processes over gloo give what one gives, of parts that are not equally long."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from stages.errors import UsageError
from stages.train.distributed import Distributed, refuse_fewer_clips_than_processes
from stages.train.plan import Plan
from stages.train.settings import TrainSettings
from stages.train.world import World

SIZE = 3

Found = dict[str, torch.Tensor | bytes | None]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    """What each of three processes finds, and what one alone does."""
    folder = tmp_path_factory.mktemp("gloo")
    program = Path(__file__).with_name("meet_program.py")
    jobs = [
        subprocess.Popen([sys.executable, program, folder, str(rank), str(size)])
        for rank, size in [(0, 1), (0, SIZE), (1, SIZE), (2, SIZE)]
    ]
    assert [job.wait() for job in jobs] == [0] * len(jobs)
    return {path.stem: torch.load(path, weights_only=False) for path in folder.glob("*.pt")}


def test_gradients_and_statistics_are_those_of_one_process(found: dict[str, Found]) -> None:
    alone = found["alone"]
    for name, expected in alone.items():
        if isinstance(expected, torch.Tensor) and name != "gathered":
            for process in (found[rank] for rank in "012"):
                torch.testing.assert_close(process[name], expected, rtol=1e-5, atol=1e-6)
                assert torch.equal(process[name], found["0"][name]), name


def test_rows_come_in_order_though_one_process_has_none(found: dict[str, Found]) -> None:
    for rank in "012":
        assert torch.equal(found[rank]["gathered"], torch.tensor([[1.0, 1.0], [2.0, 2.0]]))


def test_the_first_process_is_heard(found: dict[str, Found]) -> None:
    for rank in "012":
        heard = found[rank]
        assert (heard["word"], heard["empty"], heard["nothing"]) == (b"word", b"", None)


@pytest.mark.parametrize(("clips", "batch_size"), [(5, 2), (2, 8)])
def test_a_batch_needs_a_clip_for_every_process(clips: int, batch_size: int) -> None:
    settings = TrainSettings(alignment_weight=0)
    plan = Plan(np.ones((clips, 1), dtype=bool), settings, batch_size)
    refuse_fewer_clips_than_processes(plan, World())
    with pytest.raises(UsageError, match=f"{clips} clips of an epoch.* 3 processes"):
        refuse_fewer_clips_than_processes(plan, Distributed(0, SIZE))
