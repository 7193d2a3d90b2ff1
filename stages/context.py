"""What a stage's code gets beside its settings."""

from dataclasses import dataclass, field
from pathlib import Path

from stages.lineage import Lineage
from stages.reporter import Reporter
from stages.team import Team


@dataclass(frozen=True)
class StageContext:
    """Where a stage reads and writes, and whom it tells.

    It reads artifacts below `workspace`, and writes below `staging` at the same relative paths. With
    `force` the user wants it done again though nothing has changed: nothing old may serve. `team` are
    the processes that take part.
    """

    workspace: Path
    staging: Path
    lineage: Lineage
    reporter: Reporter
    force: bool = False
    team: Team = field(default_factory=Team)
