"""Prove that a prepared workspace is whole. It is read only: no record, no lock, no staging folder."""

from pathlib import Path

import duckdb

from stages.check.audio import AudioTotals, check_audio
from stages.check.findings import Findings
from stages.check.labels import check_labels_of_clips, check_ontology, read_labels
from stages.check.queries import open_queries, rows
from stages.check.settings import CheckSettings, CheckSummary
from stages.check.tables import check_clips, check_rejects, count_rows
from stages.errors import ArtifactError, MissingInputError
from stages.processes import default_workers
from stages.records import output_hash, read_record
from stages.reporter import Reporter

_TABLES = ("clips", "labels", "rejects")
_ARTIFACTS = (*(f"{kind}.parquet" for kind in _TABLES), "ontology.duckdb", "audio")


def run(settings: CheckSettings, workspace: Path, reporter: Reporter) -> CheckSummary:
    """Check every artifact of `spa prepare` in `workspace`, and how they fit together.

    Raises:
        MissingInputError: nothing was prepared there.
    """
    if not any((workspace / name).exists() for name in _ARTIFACTS):
        raise MissingInputError(
            f"{workspace} holds nothing that `spa prepare` has made",
            "name a workspace with --workspace, or run `spa prepare SOURCE` first",
        )
    if ":" in str(workspace):  # Arrow would take a relative path with a colon for a URL
        workspace = workspace.absolute()
    findings = Findings()
    counts = {kind: count_rows(workspace / f"{kind}.parquet", kind, findings) for kind in _TABLES}
    check_record(workspace, findings)
    totals = AudioTotals()
    with open_queries() as connection:
        try:
            totals = _check_contents(settings, workspace, counts, connection, findings, reporter)
        except ArtifactError as error:  # a file changed or broke under our hands
            findings.add("workspace", error.message)
    return CheckSummary(
        whole=findings.count == 0,
        hours=totals.seconds / 3600,
        shards=totals.shards,
        sample_rate=totals.sample_rate,
        audio_bytes=totals.audio_bytes,
        problem_count=findings.count,
        problems=tuple(findings.named),
        **{kind: count or 0 for kind, count in counts.items()},
    )


def check_record(workspace: Path, findings: Findings) -> None:
    """Check that the artifacts are those of which `spa prepare` recorded the hashes when it was done."""
    record = read_record(workspace, "prepare")
    if record is None:
        what = "is missing or no record: the last run was not finished"
        findings.add("lineage/prepare.json", what, "run the same `spa prepare SOURCE` again")
        return
    for name in _ARTIFACTS:
        path = workspace / name
        if path.exists() and output_hash(path) != record.outputs.get(name):
            findings.add(name, "is not as the run that is recorded in lineage/prepare.json left it")


def _check_contents(  # noqa: PLR0913 - what run() has opened
    settings: CheckSettings,
    workspace: Path,
    counts: dict[str, int | None],
    connection: duckdb.DuckDBPyConnection,
    findings: Findings,
    reporter: Reporter,
) -> AudioTotals:
    """Check what is in the tables that can be read."""
    clips, audio = workspace / "clips.parquet", workspace / "audio"
    if counts["labels"] is not None:
        labels = read_labels(workspace / "labels.parquet", findings)
        check_ontology(workspace / "ontology.duckdb", labels, findings)
        if counts["clips"] is not None:
            check_labels_of_clips(connection, clips, labels, findings)
    if counts["rejects"] is not None:
        check_rejects(connection, workspace / "rejects.parquet", findings)
    if counts["clips"] is None:
        return AudioTotals()
    check_clips(connection, clips, findings)
    with reporter.task("check", counts["clips"]) as task:
        expected = rows(connection, "clips_by_shard.sql", clips)
        workers = settings.workers or default_workers()
        return check_audio(audio, expected, workers, findings, task)
