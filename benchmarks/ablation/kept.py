"""The finished trainings of a workspace, from one call to the next."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from ablation.job import Job
from ablation.results import Row, read_results, write_results
from ablation.scores import read_replicates
from ablation.summaries import Found


class Kept:
    """Rows of `results.parquet` whose scores are there too."""

    def __init__(self, folder: Path) -> None:
        """Read what earlier calls have left in `folder`."""
        self.path = folder / "results.parquet"
        self.rows = {row.key: row for row in read_results(self.path)}
        for key in self.rows:  # a kill may have come between the row and this
            shutil.rmtree(folder / "running" / key, ignore_errors=True)

    def missing(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs that are to do; of two that would train the same, the first."""
        once = {job.key: job for job in reversed(jobs)}
        return [job for job in reversed(once.values()) if not self._has(job)]

    def add(self, job: Job, row: Row) -> None:
        """Keep a row and say so; only then is the training's workspace removed."""
        self.rows[row.key] = row
        write_results(self.path, list(self.rows.values()))
        shutil.rmtree(job.running)
        print(
            f"{job.name}: mAP {100 * row.mAP:.1f} OmAP {100 * row.OmAP:.1f} in {row.seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )

    def found(self, jobs: Sequence[Job]) -> Found:
        """Rows and replicates of those jobs that are done."""
        return {
            (job.set_name, job.fold, job.contender.name, job.settings.seed): (
                self.rows[job.key],
                read_replicates(job.scores),
            )
            for job in jobs
            if self._has(job)
        }

    def _has(self, job: Job) -> bool:
        return job.key in self.rows and job.scores.is_file()
