"""Two processes of torchrun train one model: the same curve as one, one writer, one voice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from stages.models.checkpoint import load_checkpoint
from stages.pipeline import PREPARE
from stages.prepare.settings import PrepareSettings
from stages.reporter import QuietReporter
from stages.runner import run_stage

SPA = ["-c", "from spa_cli.main import main; main()"]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]
TRAIN = ["train", "--alignment-weight", "0", "--batch-size", "8", "--device", "cpu"]
# Rounding grows with the learning rate, until another position wins a maximum.
SLOWLY = ["--epochs", "3", "--learning-rate", "0.0003"]
# As torchrun sets it: the order of sums depends on it.
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def workspace(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("torchrun") / "W"
    run_stage(PREPARE, PrepareSettings(source=tones, workers=1), folder, QuietReporter())
    return folder


def started(workspace: Path, *arguments: str, together: bool = True) -> subprocess.Popen[str]:
    before = [*TORCHRUN, sys.executable] if together else []
    command = [sys.executable, *before, *SPA, *arguments, "--workspace", str(workspace)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=ENVIRONMENT)


def run(workspace: Path, *arguments: str, together: bool = True) -> tuple[int, str, str]:
    job = started(workspace, *arguments, together=together)
    out, err = job.communicate(timeout=300)
    return job.returncode, out, err


def errors(stderr: str) -> list[str]:
    """What `spa` says; torchrun says more."""
    assert "unexpected" not in stderr
    return [line for line in stderr.splitlines() if line.startswith("error: ")]


def history(workspace: Path, name: str) -> dict[tuple[int, str], float]:
    rows = pq.read_table(workspace / "runs" / name / "history.parquet").to_pylist()
    return {(row["epoch"], row["name"]): row["value"] for row in rows}


@pytest.fixture(scope="module")
def both(workspace: Path) -> tuple[Path, str]:
    """The workspace with the runs `one` and `two`, and what the latter printed."""
    assert run(workspace, *TRAIN, *SLOWLY, "--name", "one", together=False)[0] == 0
    code, out, err = run(workspace, *TRAIN, *SLOWLY, "--name", "two", "--json")
    assert code == 0, err
    return workspace, out


def test_the_same_curve(both: tuple[Path, str]) -> None:
    one, two = (history(both[0], name) for name in ("one", "two"))
    assert one.keys() == two.keys()
    assert (3, "train/loss") in one
    for key, value in one.items():
        assert two[key] == pytest.approx(value, abs=1e-5), key


@pytest.mark.slow
def test_compiled_it_is_the_same_curve(both: tuple[Path, str]) -> None:
    """Needs a C++ compiler. Both processes compile, and torch's compiler is not heard."""
    code, _, err = run(both[0], *TRAIN, *SLOWLY, "--name", "compiled", "--compile")
    assert code == 0, err
    ours = [line for line in err.splitlines() if "OMP_NUM_THREADS" not in line]
    assert all(line.startswith(("train: ", "epoch ")) for line in ours), err
    one, compiled = (history(both[0], name) for name in ("one", "compiled"))
    assert one.keys() == compiled.keys()
    for key, value in one.items():
        assert compiled[key] == pytest.approx(value, abs=1e-4), key


def test_one_voice_one_writer_and_a_complete_model(both: tuple[Path, str]) -> None:
    workspace, out = both
    summary = json.loads(out)
    assert summary["train_clips"] == 28
    assert len(list((workspace / "runs" / "two" / "tensorboard").iterdir())) == 1
    assert not list(workspace.glob(".*"))
    found = load_checkpoint(Path(summary["model"]), torch.device("cpu"))
    one = load_file(workspace / "runs" / "one" / "model.safetensors")
    assert found.tagger.state_dict().keys() == one.keys()
    for name, tensor in found.tagger.state_dict().items():
        torch.testing.assert_close(tensor, one[name], atol=1e-3, rtol=1e-3)


WITH_THREADS_TOLD = """
import atexit, os
from pathlib import Path
from spa_cli.main import main

def tell():
    names = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
    Path(os.environ["THREADS"], os.environ["RANK"]).write_text("".join(names))

atexit.register(tell)
main()
"""


def test_gloo_has_ended_before_python_does(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread of gloo that lets go of a tensor while Python ends aborts the process."""
    monkeypatch.setitem(ENVIRONMENT, "THREADS", str(tmp_path))
    job = [sys.executable, *TORCHRUN, sys.executable, "-c", WITH_THREADS_TOLD, *TRAIN]
    job += ["--epochs", "1", "--name", "threads", "--workspace", str(workspace)]
    subprocess.run(job, check=True, env=ENVIRONMENT, timeout=300)
    for rank in "01":
        names = (tmp_path / rank).read_text().split()
        assert names
        assert not [name for name in names if "gloo" in name]


def test_nothing_to_do(both: tuple[Path, str]) -> None:
    code, out, err = run(both[0], *TRAIN, *SLOWLY, "--name", "two", "--json")
    assert code == 0
    assert out == both[1]
    assert err.count("nothing has changed") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--name", "wild", "--learning-rate", "10", "--weight-decay", "10"], "not"),
        (["--name", "few", "--batch-size", "1"], "fewer than the 2 processes"),
    ],
)
def test_what_goes_wrong_is_said_once(workspace: Path, arguments: list[str], said: str) -> None:
    code, out, err = run(workspace, *TRAIN, "--epochs", "20", *arguments)
    assert code != 0
    assert out == ""
    (line,) = errors(err)
    assert said in line


def test_a_missing_input_is_said_once(tmp_path: Path) -> None:
    code, out, err = run(tmp_path / "nowhere", *TRAIN)
    assert code != 0
    assert out == ""
    assert ["does not exist" in line for line in errors(err)] == [True]
    assert list(tmp_path.iterdir()) == []


def children(job: subprocess.Popen[str]) -> Iterator[tuple[int, int]]:
    """Process id and rank of what torchrun has started."""
    for task in Path(f"/proc/{job.pid}/task").iterdir():
        for pid in map(int, (task / "children").read_text().split()):
            entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            ranks = [entry[5:] for entry in entries if entry.startswith(b"RANK=")]
            if ranks:
                yield pid, int(ranks[0])


@pytest.mark.parametrize(
    "killed",
    [
        "leader",
        pytest.param("launcher", marks=pytest.mark.slow),
        pytest.param("follower", marks=pytest.mark.slow),
    ],
)
def test_killed_and_started_again(both: tuple[Path, str], killed: str) -> None:
    """The same end as that of a training that nothing has stopped."""
    workspace = both[0]
    arguments = [*TRAIN, *SLOWLY, "--name", killed]
    job = started(workspace, *arguments, "--save-minutes", "0")
    state = workspace / f".staging-train-{killed}" / "training" / "state.safetensors"
    while not state.exists():
        assert job.poll() is None
        time.sleep(0.01)
    if killed == "launcher":
        job.send_signal(signal.SIGTERM)
    else:
        (pid,) = (pid for pid, rank in children(job) if (rank == 0) == (killed == "leader"))
        os.kill(pid, signal.SIGKILL)
    _, err = job.communicate(timeout=120)
    assert job.returncode != 0
    assert len(errors(err)) == (killed != "leader")
    assert state.exists()
    code, _, err = run(workspace, *arguments)
    assert code == 0
    assert "going on from a training that was stopped" in err
    assert history(workspace, killed) == history(workspace, "two")
    ours, theirs = (
        load_file(workspace / "runs" / name / "model.safetensors") for name in (killed, "two")
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
