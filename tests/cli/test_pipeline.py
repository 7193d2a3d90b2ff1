"""The commands in sequence, as CI jobs call them: on made tones, on a CPU, in processes of their own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from stages.errors import WORK_KEPT

SPA = [sys.executable, "-c", "from spa_cli.main import main; main()"]
TRAIN = ["train", "--epochs", "12", "--batch-size", "8", "--alignment-weight", "0.5"]


def spa(workspace: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*SPA, *arguments, "--workspace", str(workspace)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def commands(tones: Path) -> list[list[str]]:
    return [
        ["prepare", str(tones)],
        ["embed-labels", "--text-encoder", "minilm"],
        TRAIN,
        ["evaluate", "--resamples", "50"],
        [
            "tag",
            str(tones / "Hum" / "1-100-A.wav"),
            str(tones / "Hiss" / "2-101-A.wav"),
            "--topk",
            "2",
        ],
    ]


def artifacts(workspace: Path) -> dict[str, bytes]:
    """All files but TensorBoard's events and the records, which hold times, and kept work."""
    files = (path for path in sorted(workspace.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(workspace)): path.read_bytes()
        for path in files
        if not {"tensorboard", "lineage", ".staging-prepare", ".staging-train-main"}
        & set(path.parts)
    }


@pytest.fixture(scope="module")
def done(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which every stage has run."""
    workspace = tmp_path_factory.mktemp("pipeline") / "W"
    for command in commands(tones):
        result = spa(workspace, *command)
        assert result.returncode == 0, result.stderr
        assert result.stdout.strip(), "a stage prints a summary"
    return workspace


def test_the_model_has_learnt_the_tones(done: Path) -> None:
    result = spa(done, "evaluate", "--resamples", "50", "--json")
    summary = json.loads(result.stdout)
    assert summary["clips"] == 8
    assert summary["labels"] == 4
    assert summary["mAP"] > 0.7
    assert summary["OmAP"] >= summary["mAP"]
    assert len(summary["OmAP_by_coarse_level"]) == 1 + 3  # Hiss - Sound - Tonal - Hum


def test_unchanged_stages_do_nothing_say_so_and_print_the_same(done: Path, tones: Path) -> None:
    before = artifacts(done)
    for command in commands(tones):
        first, second = (spa(done, *command) for _ in range(2))
        assert second.returncode == 0
        assert "nothing has changed" in second.stderr
        assert second.stdout == first.stdout
    assert artifacts(done) == before


def test_the_same_commands_give_the_same_bytes(done: Path, tones: Path, tmp_path: Path) -> None:
    for command in commands(tones):
        assert spa(tmp_path / "W", *command).returncode == 0
    again, before = artifacts(tmp_path / "W"), artifacts(done)
    assert again.keys() == before.keys()
    assert [name for name in before if again[name] != before[name]] == []


def test_every_artifact_documents_its_columns_and_its_lineage(done: Path) -> None:
    files = [path for path in done.rglob("*.parquet") if path.is_file()]
    assert len(files) >= 8
    for path in files:
        schema = pq.read_schema(path)
        assert schema.metadata[b"spa.artifact"]
        lineage = json.loads(schema.metadata[b"spa.lineage"])
        assert {"settings", "inputs", "versions"} <= lineage.keys()
        assert all(field.metadata[b"doc"] for field in schema), path


def test_tag_json_has_one_object_a_file(done: Path, tones: Path, tmp_path: Path) -> None:
    noise = tmp_path / "not audio.wav"
    noise.write_bytes(b"RIFF and then nothing of the kind")
    clip = tones / "Hiss" / "5-104-A.wav"
    files = [str(clip), str(noise), str(tmp_path / "missing.wav")]
    result = spa(done, "tag", *files, "--topk", "3", "--windows", "--json")
    assert result.returncode == 1
    good, broken, missing = json.loads(result.stdout)
    assert good["path"] == str(clip)
    assert good["duration_seconds"] == pytest.approx(0.6)
    assert [tag["label"] for tag in good["tags"]][:1] == ["Hiss"]
    assert len(good["tags"]) == 3
    assert good["windows"][0]["tags"] == good["tags"]
    assert "not audio.wav" in broken["error"]
    assert "missing.wav" in missing["error"]
    table = spa(done, "tag", *files)
    assert table.returncode == 1
    assert len(table.stderr.strip().splitlines()) >= 2
    assert "Hiss" in table.stdout


def test_a_model_file_needs_no_workspace(done: Path, tones: Path, tmp_path: Path) -> None:
    model = done / "runs" / "main" / "model.safetensors"
    clip = tones / "Hum" / "5-104-A.wav"
    result = spa(tmp_path / "none", "tag", str(clip), "--model", str(model), "--json")
    assert result.returncode == 0, result.stderr
    in_workspace = spa(done, "tag", str(clip), "--model", "main", "--json")
    assert json.loads(result.stdout) == json.loads(in_workspace.stdout)
    assert not (tmp_path / "none").exists()


def test_a_model_of_other_labels_is_refused(done: Path, tones: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(tones, other)
    shutil.rmtree(other / "Hiss")
    workspace = tmp_path / "W"
    shutil.copytree(done, workspace)
    assert spa(workspace, "prepare", str(other)).returncode == 0
    evaluated = spa(workspace, "evaluate", "--name", "main")
    assert evaluated.returncode == 1
    assert "label" in evaluated.stderr
    trained = spa(workspace, *TRAIN, "--name", "second")
    assert trained.returncode == 1
    assert "label_embeddings.parquet holds 4 labels, the workspace has 3" in trained.stderr
    assert "spa embed-labels" in trained.stderr


def test_a_model_trained_on_other_splits_is_judged_with_a_warning(
    done: Path, tones: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "W"
    shutil.copytree(done, workspace)
    assert "another clips.parquet" not in spa(workspace, "evaluate", "--force").stderr
    assert spa(workspace, "prepare", str(tones), "--eval-fold", "1").returncode == 0
    evaluated = spa(workspace, "evaluate")
    assert evaluated.returncode == 0
    assert "was trained on another clips.parquet" in evaluated.stderr


def test_another_sample_rate_is_resampled_with_a_warning(tones: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "W"
    assert spa(workspace, "prepare", str(tones), "--sample-rate", "16000").returncode == 0
    trained = spa(workspace, "train", "--alignment-weight", "0", "--epochs", "1")
    assert trained.returncode == 0, trained.stderr
    assert "warning: audio is at 16000 Hz, encoder 'small' hears 32000 Hz" in trained.stderr
    assert "--sample-rate 32000" in trained.stderr


@pytest.mark.parametrize(
    "index", range(5), ids=["prepare", "embed-labels", "train", "evaluate", "tag"]
)
def test_interrupted_at_any_time_nothing_is_half_written(
    done: Path, tones: Path, tmp_path: Path, index: int
) -> None:
    """Ctrl-C after different times: the process either ends whole or leaves everything as it was."""
    workspace = tmp_path / "W"
    shutil.copytree(done, workspace)
    before = artifacts(workspace)
    command = [*SPA, *commands(tones)[index], "--force", "--workspace", str(workspace)]
    kept: set[str] = set()
    for wait in (0.4, 1.2, 2.5):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(wait)
        os.kill(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode in {0, 1}, errors
        assert "Traceback" not in errors
        if process.returncode == 1:
            assert "interrupted" in errors
        # What is done (shards, steps) waits, outside the artifacts, for the same command: a later one that
        # is stopped before it comes to them leaves them where they are, and knows nothing of them.
        of_this = {".staging-prepare" if index == 0 else ".staging-train-main"}
        may_be_kept = kept | (of_this if WORK_KEPT in errors else set())
        kept = {path.name for path in workspace.glob(".staging-*")}
        assert kept <= may_be_kept
        assert artifacts(workspace) == before
    subprocess.run(command, capture_output=True, check=True)
    assert not list(workspace.glob(".staging-*"))
