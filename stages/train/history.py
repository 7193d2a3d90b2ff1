"""What a training measured: rows of history.parquet, and TensorBoard events as they happen."""

import contextlib
import shutil
from datetime import datetime
from pathlib import Path
from types import TracebackType

from torch.utils.tensorboard import SummaryWriter

from stages.artifacts import write_parquet
from stages.lineage import Lineage


class History:
    """Collects measures.

    TensorBoard's events lie in a folder named by the time: old ones stay. A training that fails or is
    interrupted leaves them only when it can be gone on with (`lasts`).
    """

    def __init__(self, tensorboard: Path | None) -> None:
        """Open no file yet; None: no events (of a process that writes nothing)."""
        self.tensorboard = tensorboard
        self.lasts = False
        self.events = ""
        self._writer: SummaryWriter | None = None
        self.columns: dict[str, list[int | float | str]] = {
            "step": [], "epoch": [], "name": [], "value": [],
        }  # fmt: skip

    def open(
        self, columns: dict[str, list[int | float | str]] | None = None, events: str = ""
    ) -> None:
        """Begin, or go on from the rows and the folder of events of a stopped training."""
        self.events = events or f"{datetime.now():%Y%m%d-%H%M%S-%f}"
        purged = None
        if columns:
            self.columns = {name: list(values) for name, values in columns.items()}
            purged = 1 + max((int(step) for step in columns["step"]), default=0)
        self.lasts = bool(events)
        if self.tensorboard is not None:
            # What a killed training has shown beyond its saved state is hidden.
            self._writer = SummaryWriter(str(self.tensorboard / self.events), purge_step=purged)

    def add(self, step: int, epoch: int, name: str, value: float) -> None:
        """Keep one measure, and show it in TensorBoard."""
        row: dict[str, int | float | str] = {
            "step": step,
            "epoch": epoch,
            "name": name,
            "value": value,
        }
        for column, entry in row.items():
            self.columns[column].append(entry)
        if self._writer is not None:
            self._writer.add_scalar(name, value, step)

    def write(self, path: Path, lineage: Lineage) -> None:
        """Write history.parquet."""
        write_parquet(path, "history", self.columns, lineage)

    def __enter__(self) -> "History":
        """Nothing to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        """Close the events; remove them when the training failed and nothing goes on from it."""
        if self._writer is None or self.tensorboard is None:
            return
        self._writer.close()
        if kind is not None and not self.lasts:
            folder = self.tensorboard / self.events
            shutil.rmtree(folder, ignore_errors=True)
            for parent in list(folder.parents)[:3]:  # tensorboard, NAME, runs
                with contextlib.suppress(OSError):  # not empty: something else lives there
                    parent.rmdir()
