"""A process beside the first of a team: it takes part, and leaves it to the first to speak."""

import os
import sys
from pathlib import Path

import typer

from stages.pipeline import R, S, Stage
from stages.team import PeerLostError, Team


def mute_followers() -> None:
    """Let nothing be seen of what this process prints, if another one leads."""
    if Team.of_environment().follows:
        sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to the end


def muted_follow(stage: Stage[S, R], settings: S, workspace: Path, team: Team) -> None:
    """Take part in the stage; errors of this process alone are seen all the same."""
    from stages.following import follow

    try:
        follow(stage, settings, workspace, team)
    except PeerLostError as error:
        raise typer.Exit(1) from error
    except Exception:
        sys.stderr = sys.__stderr__ or sys.stderr
        raise
