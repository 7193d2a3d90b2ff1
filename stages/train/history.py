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
    """Collects measures; a training that does not finish leaves no events behind."""

    def __init__(self, tensorboard_folder: Path) -> None:
        """Open TensorBoard's event file in a new folder named by the time: old ones stay."""
        self.folder = tensorboard_folder / f"{datetime.now():%Y%m%d-%H%M%S-%f}"
        self.writer = SummaryWriter(str(self.folder))
        self.columns: dict[str, list[int | float | str]] = {
            "step": [], "epoch": [], "name": [], "value": [],
        }  # fmt: skip

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
        self.writer.add_scalar(name, value, step)

    def write(self, path: Path, lineage: Lineage) -> None:
        """Write history.parquet."""
        write_parquet(path, "history", self.columns, lineage)

    def __enter__(self) -> "History":
        """Nothing to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        """Close the events; remove them when the training failed or was interrupted."""
        self.writer.close()
        if kind is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            for parent in list(self.folder.parents)[:3]:  # tensorboard, NAME, runs
                with contextlib.suppress(OSError):  # not empty: something else lives there
                    parent.rmdir()
