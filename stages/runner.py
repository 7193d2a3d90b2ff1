"""Run one stage: check its inputs, run it aside, check its outputs, move them into place."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from ontology.errors import OntologyError
from stages.context import StageContext
from stages.errors import ArtifactError, MissingInputError, SpaError, UsageError
from stages.lineage import Lineage, file_sha256, package_versions, source_hash
from stages.pipeline import Artifact, R, S, Stage
from stages.records import is_current, newest_run, read_record, record_path, write_record
from stages.reporter import Reporter


@dataclass(frozen=True)
class Outcome(Generic[R]):
    """What a stage said, and whether it had anything to do."""

    summary: R
    unchanged: bool


def run_stage(
    stage: Stage[S, R], settings: S, workspace: Path, reporter: Reporter, *, force: bool = False
) -> Outcome[R]:
    """Run `stage` in `workspace`, or do nothing when its last run had the same settings and inputs.

    Raises:
        SpaError: what went wrong; the workspace is then as it was before.
    """
    if workspace.exists() and not workspace.is_dir():
        raise UsageError(f"the workspace {workspace} is a file", "name a folder with --workspace")
    settings = _with_run_name(settings, workspace)
    inputs, outputs = stage.inputs(settings), stage.outputs(settings)
    _check_inputs(stage, inputs, workspace)
    lineage = _lineage(stage, settings, inputs, workspace)
    key = _record_key(stage, settings)
    record = read_record(workspace, key)
    if record is not None and not force and is_current(workspace, record, lineage):
        return Outcome(stage.summary.model_validate(record.summary), unchanged=True)
    keeps_record = bool(outputs) or workspace.is_dir()
    with _staging(workspace, key, needed=bool(outputs)) as staging:
        summary = _run(stage, settings, StageContext(workspace, staging, lineage, reporter))
        _check_outputs(stage, outputs, staging)
        record_path(workspace, key).unlink(missing_ok=True)
        for artifact in outputs:
            _move_into_place(staging / artifact.path, workspace / artifact.path)
    if keeps_record:
        paths = tuple(artifact.path for artifact in outputs)
        write_record(workspace, key, lineage, paths, summary.model_dump(mode="json"))
    return Outcome(summary, unchanged=False)


def _run(stage: Stage[S, R], settings: S, context: StageContext) -> R:
    try:
        return stage.load()(settings, context)
    except OntologyError as error:
        raise SpaError(str(error), error.next_step) from error


def _with_run_name(settings: S, workspace: Path) -> S:
    """Fill in the newest run where the user named none."""
    for field in ("name", "model"):
        if field in type(settings).model_fields and getattr(settings, field) is None:
            if getattr(settings, "scores", None) is not None:
                continue
            return settings.model_copy(update={field: newest_run(workspace)})
    return settings


def _record_key(stage: Stage[S, R], settings: S) -> str:
    name = getattr(settings, "name", None)
    return f"{stage.name}-{name}" if name else stage.name


def _check_inputs(stage: Stage[S, R], inputs: tuple[Artifact, ...], workspace: Path) -> None:
    for artifact in inputs:
        path = workspace / artifact.path
        if not path.exists():
            raise MissingInputError(
                f"`spa {stage.name}` needs {path}, which does not exist",
                f"run `spa {artifact.made_by} --workspace {workspace}` first",
            )
        if artifact.schema and path.is_file():
            _verify(path, artifact.schema)


def _check_outputs(stage: Stage[S, R], outputs: tuple[Artifact, ...], staging: Path) -> None:
    for artifact in outputs:
        path = staging / artifact.path
        if not path.exists():
            raise ArtifactError(f"`spa {stage.name}` wrote no {artifact.path}: please report this")
        for file in path.glob("*.parquet") if path.is_dir() else [path]:
            if artifact.schema:
                _verify(file, artifact.schema)


def _verify(path: Path, schema: str) -> None:
    from stages.artifacts import open_parquet, verify_schema  # pyarrow is heavy

    with open_parquet(path) as file:
        verify_schema(path, file.schema_arrow, schema)


def _lineage(
    stage: Stage[S, R], settings: S, inputs: tuple[Artifact, ...], workspace: Path
) -> Lineage:
    hashes = {
        # The audio is pinned by clips.parquet, which holds the hash of every clip's source.
        artifact.path: file_sha256(workspace / artifact.path)
        for artifact in inputs
        if (workspace / artifact.path).is_file()
    }
    hashes |= {str(path): source_hash(path, workspace) for path in settings.sources()}
    dumped: dict[str, Any] = settings.model_dump(mode="json")
    for name, field in type(settings).model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        if extra.get("changes_output") is False:
            del dumped[name]
    return Lineage(stage.name, dumped, hashes, package_versions())


@contextmanager
def _staging(workspace: Path, key: str, *, needed: bool) -> Iterator[Path]:
    """Yield an empty folder on the workspace's disk, and leave nothing of it behind."""
    staging = workspace / f".staging-{key}"
    if not needed:
        yield staging
        return
    created = [path for path in (workspace, *workspace.parents) if not path.exists()]
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        yield staging
    except OSError as error:
        raise SpaError(f"{error.filename or workspace}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for path in created:
            _remove_if_empty(path)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return


def _move_into_place(new: Path, old: Path) -> None:
    old.parent.mkdir(parents=True, exist_ok=True)
    if old.is_dir():
        aside = new.with_name(new.name + ".old")
        old.rename(aside)
    new.rename(old)
