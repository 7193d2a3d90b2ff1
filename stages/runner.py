"""Run one stage: check its inputs, run it aside, check its outputs, have them moved into place."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from ontology.errors import OntologyError
from stages.commit import write_journal
from stages.context import StageContext
from stages.disk import disk_errors_named
from stages.errors import ArtifactError, MissingInputError, SpaError, UsageError
from stages.lineage import Lineage, file_sha256, package_versions, source_hash
from stages.lock import HeldError
from stages.pipeline import Artifact, R, S, Stage
from stages.records import FinishedRun, is_current, newest_run, read_record, record_path
from stages.reporter import Reporter
from stages.staging import (
    finish_left_over,
    forget,
    is_of_another,
    remove_if_of,
    staging_folder,
    staging_path,
)
from stages.team import Team

_TURN_SECONDS = 10.0


@dataclass(frozen=True)
class Outcome(Generic[R]):
    """What a stage said, and whether it had anything to do."""

    summary: R
    unchanged: bool


def run_stage(  # noqa: PLR0913 - what a run may depend on
    stage: Stage[S, R],
    settings: S,
    workspace: Path,
    reporter: Reporter,
    *,
    force: bool = False,
    team: Team | None = None,
) -> Outcome[R]:
    """Run `stage` in `workspace`, or do nothing when its last run had the same settings and inputs.

    Where it leads a `team`, the others are called in once there is something to do; they `follow`.

    Raises:
        DiskFullError: nothing more can be written.
        SpaError: what went wrong; the workspace is then as it was before.

    What stopped a run carries the note `stages.errors.WORK_KEPT` if the same call will go on from there.
    """
    workspace = without_colon(workspace)
    team = team if team and stage.joined else Team()
    with team.leading(), disk_errors_named(workspace):
        if workspace.exists() and not workspace.is_dir():
            message = f"the workspace {workspace} is a file"
            raise UsageError(message, "name a folder with --workspace")
        held = finish_left_over(workspace)
        settings = _with_run_name(settings, workspace)
        key = _record_key(stage, settings)
        if key in held and stage.outputs(settings):
            raise _at_work(stage, workspace, held[key])
        try:
            return _run_in(workspace, stage, settings, reporter, force, team)
        except HeldError as error:
            raise _at_work(stage, workspace, error.pid) from None


def without_colon(workspace: Path) -> Path:
    """The same folder by a path that Arrow does not take for a URL."""
    return workspace.absolute() if ":" in str(workspace) else workspace


def _at_work(stage: Stage[S, R], workspace: Path, pid: int | None) -> SpaError:
    process = f" (process {pid})" if pid else ""
    return SpaError(
        f"another `spa {stage.name}` is at work in {workspace}{process}",
        f"wait until it is done, or give another {stage.kept_apart_by}",
    )


def _run_in(  # noqa: PLR0913 - see run_stage
    workspace: Path,
    stage: Stage[S, R],
    settings: S,
    reporter: Reporter,
    force: bool,
    team: Team,
) -> Outcome[R]:
    key = _record_key(stage, settings)
    inputs, outputs = stage.inputs(settings), stage.outputs(settings)
    check_inputs(stage, inputs, workspace)
    lineage = lineage_of(stage, settings, inputs, workspace)
    record = read_record(workspace, key)
    if record is not None and not force and is_current(workspace, record, lineage):
        remove_if_of(workspace, key, lineage.identity())
        return Outcome(stage.summary.model_validate(record.summary), unchanged=True)
    _check_room(stage, settings, outputs, workspace)
    if outputs:
        if is_of_another(workspace, key, lineage.identity(), stage.resumes_from):
            reporter.warn(
                f"what an unfinished `spa {stage.name}` had done for {key} is thrown away once this one"
                " has done something: its settings or inputs were others"
            )
        with staging_folder(workspace, key, lineage.identity(), stage.resumes_from) as staging:
            context = StageContext(workspace, staging, lineage, reporter, force, team)
            summary = _run(stage, settings, context)
            try:
                _check_outputs(stage, outputs, staging)
            except ArtifactError:
                forget(staging)  # to go on from it would only lead here again
                raise
            write_journal(staging, _finished(lineage, outputs, summary))
        return Outcome(summary, unchanged=False)
    staging = staging_path(workspace, key)
    context = StageContext(workspace, staging, lineage, reporter, force, team)
    summary = _run(stage, settings, context)
    if workspace.is_dir():  # such runs may go on side by side: each waits for its turn to say so
        with staging_folder(workspace, key, lineage.identity(), None, _TURN_SECONDS) as staging:
            write_journal(staging, _finished(lineage, (), summary))
    return Outcome(summary, unchanged=False)


def _check_room(
    stage: Stage[S, R], settings: S, outputs: tuple[Artifact, ...], workspace: Path
) -> None:
    """Refuse to replace what no run of this stage has made, or what it is to be made from."""
    recorded = record_path(workspace, _record_key(stage, settings)).exists()
    for path in (workspace / artifact.path for artifact in outputs):
        for folder in path.relative_to(workspace).parents:
            found = workspace / folder
            if (found.exists() or found.is_symlink()) and not found.is_dir():
                raise UsageError(
                    f"{found} is no folder, and `spa {stage.name}` is to write in it",
                    "move it away, or name another --workspace",
                )
        for source in settings.sources():
            if _resolved(source).is_relative_to(path.resolve()):
                raise UsageError(
                    f"{source} lies in {path}, which `spa {stage.name}` would replace",
                    "name another --workspace",
                )
        if path.exists() and not recorded:
            raise UsageError(
                f"{path} is there already, and `spa {stage.name}` has not made it",
                "move it away, or name another --workspace",
            )


def _resolved(source: Path) -> Path:
    try:
        return source.resolve()
    except (OSError, RuntimeError) as error:  # links in a circle
        raise UsageError(
            f"{source} cannot be followed: {error}", "name a file or a folder"
        ) from None


def _finished(lineage: Lineage, outputs: tuple[Artifact, ...], summary: R) -> FinishedRun:
    paths = tuple(artifact.path for artifact in outputs)
    return FinishedRun(lineage, paths, summary.model_dump(mode="json"))


def _run(stage: Stage[S, R], settings: S, context: StageContext) -> R:
    if stage.joined is not None:
        context.team.go(context.lineage.fingerprint())
    try:
        return stage.load()(settings, context)
    except OntologyError as error:
        raise SpaError(str(error), error.next_step) from error


def _with_run_name(settings: S, workspace: Path) -> S:
    """Fill in the newest run where the user named none."""
    fields = type(settings).model_fields
    field = next((field for field in ("name", "model") if field in fields), None)
    if field is not None and getattr(settings, field) is None:
        return settings.model_copy(update={field: newest_run(workspace)})
    return settings


def _record_key(stage: Stage[S, R], settings: S) -> str:
    name = getattr(settings, "name", None)
    return f"{stage.name}-{name}" if name else stage.name


def check_inputs(stage: Stage[S, R], inputs: tuple[Artifact, ...], workspace: Path) -> None:
    """Check that the inputs are there, and their schemas.

    Raises:
        MissingInputError: one is not there.
        ArtifactError: one is not what it should be.
    """
    for artifact in inputs:
        path = workspace / artifact.path
        if not path.exists():
            raise MissingInputError(
                f"`spa {stage.name}` needs {path}, which does not exist",
                f"run `spa {artifact.made_by} --workspace {workspace}` first{_others(path)}",
            )
        if artifact.schema and path.is_file():
            _verify(path, artifact.schema)


def _others(path: Path) -> str:
    """The runs that do have what this one lacks: the name may have been mistyped."""
    runs = path.parent.parent
    if runs.name != "runs":
        return ""
    found = sorted(other.parent.name for other in runs.glob(f"*/{path.name}"))
    return f", or name one of these: {', '.join(found)}" if found else ""


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


def lineage_of(
    stage: Stage[S, R], settings: S, inputs: tuple[Artifact, ...], workspace: Path
) -> Lineage:
    """What a run of `stage` is made from."""
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
