"""What a stage's code gets beside its settings."""

from dataclasses import dataclass
from pathlib import Path

from stages.lineage import Lineage
from stages.reporter import Reporter


@dataclass(frozen=True)
class StageContext:
    """Where a stage reads and writes, and whom it tells.

    It reads artifacts below `workspace`, and writes below `staging` at the same relative paths. With
    `force` the user wants it done again though nothing has changed: nothing old may serve.
    """

    workspace: Path
    staging: Path
    lineage: Lineage
    reporter: Reporter
    force: bool = False
