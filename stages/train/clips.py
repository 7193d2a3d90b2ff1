"""The clips of a split."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


@dataclass(frozen=True)
class Clips:
    """The clips of one split: where their audio is, and targets (clips, labels), their labels."""

    clip_ids: list[str]
    shards: list[str]
    rows: list[int]
    targets: NDArray[np.bool_]
    duration_seconds: NDArray[np.float64]

    def __len__(self) -> int:
        """Count the clips."""
        return len(self.clip_ids)


def clips_of_split(clips: pa.Table, split: str, labels: int) -> Clips:
    """Select the rows of clips.parquet that belong to `split`."""
    chosen = clips.filter(pc.equal(clips["split"], split))
    label_indices = chosen["label_indices"].combine_chunks()
    rows = np.repeat(np.arange(chosen.num_rows), pc.list_value_length(label_indices).to_numpy())
    targets = np.zeros((chosen.num_rows, labels), dtype=bool)
    targets[rows, pc.list_flatten(label_indices).to_numpy()] = True
    return Clips(
        chosen["clip_id"].to_pylist(),
        chosen["shard"].to_pylist(),
        chosen["row"].to_pylist(),
        targets,
        chosen["duration_seconds"].to_numpy(),
    )
