"""How a stage is run: inputs checked, outputs checked, moved into place at once, recorded last."""

import os
from pathlib import Path

import pytest
from pydantic import Field

from stages.artifacts import write_parquet
from stages.context import StageContext
from stages.errors import ArtifactError, MissingInputError, SpaError, UsageError
from stages.lineage import Lineage
from stages.lock import locked
from stages.pipeline import EVALUATE, PREPARE, TRAIN, Artifact, Stage
from stages.records import FinishedRun, newest_run, record_path, write_record
from stages.reporter import QuietReporter
from stages.runner import run_stage
from stages.settings import NO_EFFECT, SOURCE, StageSettings, StageSummary

HISTORY = Artifact("out/history.parquet", "write", "history")
FOLDER = Artifact("folder", "write")


class WriteSettings(StageSettings):
    value: float = 1.0
    words: str = "fine"
    file: Path | None = Field(None, json_schema_extra=SOURCE)
    workers: int = Field(1, json_schema_extra=NO_EFFECT)


class WriteSummary(StageSummary):
    value: float


def write(settings: WriteSettings, context: StageContext) -> WriteSummary:
    """A stage that writes a Parquet file and a folder, and fails on demand after the first of them."""
    columns = {"step": [1], "epoch": [1], "name": ["x"], "value": [settings.value]}
    if settings.words == "another schema":
        columns = {"clip_id": ["a"], "scores": [[0.5]], "targets": [[0]]}
        write_parquet(context.staging / HISTORY.path, "scores", columns, context.lineage)
    else:
        write_parquet(context.staging / HISTORY.path, "history", columns, context.lineage)
    if settings.words == "interrupt":
        raise KeyboardInterrupt
    if settings.words == "fail":
        raise SpaError("failed on demand")
    if settings.words != "no folder":
        (context.staging / "folder").mkdir()
        (context.staging / "folder" / "a.txt").write_text(settings.words)
    return WriteSummary(value=settings.value)


def stage(inputs: tuple[Artifact, ...] = ()) -> Stage[WriteSettings, WriteSummary]:
    return Stage(
        "write",
        "Write.",
        WriteSettings,
        WriteSummary,
        lambda _: inputs,
        lambda _: (HISTORY, FOLDER),
        f"{__name__}:write",
    )


class Direct(Stage[WriteSettings, WriteSummary]):
    """The test module is not importable by name: hand the function over."""

    def load(self):  # type: ignore[no-untyped-def]
        return write


def direct(inputs: tuple[Artifact, ...] = ()) -> Direct:
    plain = stage(inputs)
    return Direct(**{name: getattr(plain, name) for name in plain.__dataclass_fields__})


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def run(workspace: Path, *, force: bool = False, **values: object) -> bool:
    """Run the stage; returns whether it had nothing to do."""
    settings = WriteSettings.model_validate(values)
    return run_stage(direct(), settings, workspace, QuietReporter(), force=force).unchanged


def test_unchanged_work_is_not_done_again(tmp_path: Path) -> None:
    assert not run(tmp_path)
    before = snapshot(tmp_path)
    assert run(tmp_path)
    assert run(tmp_path, workers=7), "a setting without effect must not count"
    assert snapshot(tmp_path) == before
    assert not run(tmp_path, value=2.0)
    assert not run(tmp_path, value=2.0, force=True)


def test_an_output_that_was_changed_or_lost_is_made_again(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "folder" / "a.txt").unlink()
    assert not run(tmp_path)
    (tmp_path / HISTORY.path).write_bytes(b"x")
    assert not run(tmp_path)
    assert run(tmp_path)


def test_a_source_counts_by_its_content(tmp_path: Path) -> None:
    source, workspace = tmp_path / "source", tmp_path / "workspace"
    source.mkdir()
    (source / "a").write_text("1")
    assert not run(workspace, file=source)
    assert run(workspace, file=source)
    (source / "b").write_text("2")
    assert not run(workspace, file=source)
    assert not run(workspace, file=source / "b")
    (source / "b").write_text("3")
    assert not run(workspace, file=source / "b")


def test_a_workspace_inside_the_source_does_not_count_as_source(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    assert not run(tmp_path / "workspace", file=tmp_path)
    assert run(tmp_path / "workspace", file=tmp_path)


@pytest.mark.parametrize("words", ["interrupt", "fail", "no folder", "another schema"])
def test_a_run_that_fails_leaves_the_workspace_as_it_was(tmp_path: Path, words: str) -> None:
    run(tmp_path, words="first")
    before = snapshot(tmp_path)
    with pytest.raises((KeyboardInterrupt, SpaError)):
        run(tmp_path, words=words)
    assert snapshot(tmp_path) == before
    assert run(tmp_path, words="first")


def test_a_first_run_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    workspace = tmp_path / "not" / "yet"
    with pytest.raises(KeyboardInterrupt):
        run(workspace, words="interrupt")
    assert list(tmp_path.iterdir()) == []


def test_a_staging_folder_left_by_a_killed_run_is_cleared(tmp_path: Path) -> None:
    left = tmp_path / ".staging-write"
    left.mkdir()
    (left / "half").write_text("x")
    run(tmp_path)
    assert not left.exists()


def test_a_workspace_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="is a file"):
        run(tmp_path / "file")


@pytest.mark.parametrize("broken", ["a file", "a link to nothing"])
def test_a_file_where_an_output_needs_a_folder_is_refused_before_the_work(
    tmp_path: Path, broken: str
) -> None:
    """It once was found when the results were moved into place, and stopped every later command."""
    if broken == "a file":
        (tmp_path / "out").write_text("mine")
    else:
        (tmp_path / "out").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="out is no folder"):
        run_stage(direct(), WriteSettings(), tmp_path, QuietReporter())
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_missing_input_names_the_stage_that_makes_it(tmp_path: Path) -> None:
    needs = direct((Artifact("labels.parquet", "prepare SOURCE", "labels"),))
    with pytest.raises(MissingInputError, match=r"labels\.parquet, which does not exist") as raised:
        run_stage(needs, WriteSettings(), tmp_path, QuietReporter())
    assert "spa prepare SOURCE" in str(raised.value.next_step)


@pytest.mark.parametrize("content", [b"", b"PAR1 not really", b"\x00" * 100])
def test_an_input_that_is_no_parquet(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "labels.parquet").write_bytes(content)
    needs = direct((Artifact("labels.parquet", "prepare SOURCE", "labels"),))
    with pytest.raises(ArtifactError, match=r"labels\.parquet"):
        run_stage(needs, WriteSettings(), tmp_path, QuietReporter())


def test_an_input_of_another_schema_is_named(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / HISTORY.path).rename(tmp_path / "labels.parquet")
    needs = direct((Artifact("labels.parquet", "prepare SOURCE", "labels"),))
    with pytest.raises(ArtifactError, match="is a 'history' artifact; 'labels' is needed"):
        run_stage(needs, WriteSettings(), tmp_path, QuietReporter())


def test_the_newest_run_is_the_one_trained_last(tmp_path: Path) -> None:
    def trained(name: str, seconds: int) -> None:
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "model.safetensors").touch()
        record = record_path(tmp_path, f"train-{name}")
        write_record(record, tmp_path, FinishedRun(Lineage("train", {}, {}, {}), (), {}))
        os.utime(record, (seconds, seconds))

    trained("b", 2)
    trained("a", 3)
    assert newest_run(tmp_path) == "a"
    trained("z", 1)
    assert newest_run(tmp_path) == "a"
    trained("c", 3)
    assert newest_run(tmp_path) == "c", "of the same time: the last by name"
    (tmp_path / "runs" / "c" / "model.safetensors").unlink()
    assert newest_run(tmp_path) == "a"


def test_the_same_runs_leave_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run(tmp_path / name, value=3.0)
    assert snapshot(tmp_path / "a") == snapshot(tmp_path / "b")
    assert sorted(snapshot(tmp_path / "a")) == [
        "folder/a.txt",
        "lineage/write.json",
        "out/history.parquet",
    ]


def test_no_trained_run(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="no trained model"):
        newest_run(tmp_path)


@pytest.mark.parametrize(
    ("stage", "values", "key", "another"),
    [
        (TRAIN, {"name": "mine"}, "train-mine", "--name"),
        (EVALUATE, {"name": "mine"}, "evaluate-mine", "--workspace"),
        (PREPARE, {"source": "data"}, "prepare", "--workspace"),
    ],
    ids=["train", "evaluate", "prepare"],
)
def test_what_is_at_work_already_says_how_to_go_on_beside_it(
    stage: Stage,  # type: ignore[type-arg]
    values: dict[str, str],
    key: str,
    another: str,
    tmp_path: Path,
) -> None:
    settings = stage.settings.model_validate(values)
    with locked(tmp_path, key), pytest.raises(SpaError, match="is at work in") as raised:
        run_stage(stage, settings, tmp_path, QuietReporter())
    assert raised.value.next_step == f"wait until it is done, or give another {another}"
