"""What a training measured: rows of history.parquet, and TensorBoard events as they happen."""

from datetime import datetime
from pathlib import Path
from types import TracebackType

from torch.utils.tensorboard import SummaryWriter

from stages.artifacts import write_parquet
from stages.lineage import Lineage


class History:
    """Collects measures.

    TensorBoard's events lie in a folder named by the time: old ones stay. The folder is made when the
    training is kept: one that stops before it can be gone on with leaves nothing.
    """

    def __init__(self, tensorboard: Path | None) -> None:
        """Open no file yet; None: no events (of a process that writes nothing)."""
        self.tensorboard = tensorboard
        self.events = ""
        self._shown = 0  # rows that TensorBoard has
        self._writer: SummaryWriter | None = None
        self.columns: dict[str, list[int | float | str]] = {
            "step": [], "epoch": [], "name": [], "value": [],
        }  # fmt: skip

    def open(
        self, columns: dict[str, list[int | float | str]] | None = None, events: str = ""
    ) -> None:
        """Begin, or go on from the rows and the folder of events of a stopped training."""
        self.events = events or f"{datetime.now():%Y%m%d-%H%M%S-%f}"
        if columns:
            self.columns = {name: list(values) for name, values in columns.items()}
            self._shown = len(columns["step"]) if self._folder_exists() else 0
        if events:
            self.keep()

    def keep(self) -> None:
        """From now on the training can be gone on with: TensorBoard shows its measures."""
        if self._writer is None and self.tensorboard is not None:
            # What a killed training has shown beyond its saved state is hidden.
            steps = self.columns["step"][: self._shown]
            purged = 1 + max(map(int, steps)) if steps else None
            self._writer = SummaryWriter(str(self.tensorboard / self.events), purge_step=purged)
        self._show()

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
        self._show()

    def _folder_exists(self) -> bool:
        return self.tensorboard is not None and (self.tensorboard / self.events).exists()

    def _show(self) -> None:
        """Show TensorBoard the rows that it has not yet."""
        if self._writer is None:
            return
        columns = (self.columns[name][self._shown :] for name in ("name", "value", "step"))
        for name, value, step in zip(*columns, strict=True):
            self._writer.add_scalar(name, value, step)
            self._shown += 1

    def write(self, path: Path, lineage: Lineage) -> None:
        """Write history.parquet."""
        write_parquet(path, "history", self.columns, lineage)

    def __enter__(self) -> "History":
        """Nothing to do."""
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Close the events."""
        if self._writer is not None:
            self._writer.close()
