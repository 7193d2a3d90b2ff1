"""Take part in the stage that another process of the team runs."""

from pathlib import Path

from stages.context import StageContext
from stages.errors import SpaError
from stages.pipeline import R, S, Stage
from stages.reporter import QuietReporter
from stages.runner import check_inputs, lineage_of, without_colon
from stages.staging import staging_path
from stages.team import PeerLostError, Team

# The leader says what goes wrong for all. It may need a moment to put its work away before.
_LAST_WORDS_SECONDS = 5.0


def follow(stage: Stage[S, R], settings: S, workspace: Path, team: Team) -> None:
    """Wait for the leader's word, then do this process's part. Nothing is locked, written or said.

    Nothing is done where the leader does nothing, or where the stage is for one process alone.

    Raises:
        PeerLostError: another process has stopped.
        SpaError: what went wrong in this process only. What went wrong in all, the leader tells.
    """
    if stage.joined is None:
        return
    fingerprint = team.wait_for_go()
    if fingerprint is None:
        return
    try:
        _take_part(stage, settings, workspace, team, fingerprint)
    except PeerLostError:
        if not team.is_over(0):
            raise
    except SpaError as error:
        if not team.is_over(_LAST_WORDS_SECONDS):
            message = f"process {team.rank} of {team.size}: {error.message}"
            raise SpaError(message, error.next_step) from error


def _take_part(
    stage: Stage[S, R], settings: S, workspace: Path, team: Team, fingerprint: str
) -> None:
    workspace = without_colon(workspace)
    inputs = stage.inputs(settings)
    check_inputs(stage, inputs, workspace)
    lineage = lineage_of(stage, settings, inputs, workspace)
    if lineage.fingerprint() != fingerprint:
        raise SpaError(
            f"{workspace} or the settings differ from those of process 0",
            "give every machine the same command, version of spa and copy of the workspace",
        )
    staging = staging_path(workspace, stage.name)  # of the leader: nothing is written there
    context = StageContext(workspace, staging, lineage, QuietReporter(), team=team)
    stage.load_joined()(settings, context)
