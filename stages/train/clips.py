"""The clips of a split."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stages.errors import ArtifactError


@dataclass(frozen=True)
class Clips:
    """The clips of one split: where their audio is, and targets (clips, labels), their labels."""

    clip_ids: list[str]
    shards: list[str]
    rows: list[int]
    targets: NDArray[np.bool_]
    duration_seconds: NDArray[np.float64]

    def none(self) -> "Clips":
        """Return no clips, of the same labels."""
        return Clips([], [], [], self.targets[:0], self.duration_seconds[:0])

    def __len__(self) -> int:
        """Count the clips."""
        return len(self.clip_ids)


def clips_of_split(clips: pa.Table, split: str, labels: int) -> Clips:
    """Select the rows of clips.parquet that belong to `split`.

    Raises:
        ArtifactError: a clip has a label that there is none of.
    """
    chosen = clips.filter(pc.equal(clips["split"], split))
    label_indices = chosen["label_indices"].combine_chunks()
    rows = np.repeat(np.arange(chosen.num_rows), pc.list_value_length(label_indices).to_numpy())
    of_labels = pc.list_flatten(label_indices).to_numpy()
    unknown = np.flatnonzero((of_labels < 0) | (of_labels >= labels))
    if len(unknown):
        clip_id = chosen["clip_id"][int(rows[unknown[0]])].as_py()
        raise ArtifactError(
            f"clips.parquet gives clip '{clip_id}' the label {of_labels[unknown[0]]} of {labels}",
            "run `spa prepare --force` again",
        )
    targets = np.zeros((chosen.num_rows, labels), dtype=bool)
    targets[rows, of_labels] = True
    return Clips(
        chosen["clip_id"].to_pylist(),
        chosen["shard"].to_pylist(),
        chosen["row"].to_pylist(),
        targets,
        chosen["duration_seconds"].to_numpy(),
    )
