"""The training clips as batches, in an order that follows from seed and epoch alone."""

import math
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stages.audio.store import AudioStore

_BATCHES_AHEAD = 4
_DECODING_THREADS = 2


@dataclass(frozen=True)
class Clips:
    """The clips of one split: where their audio is and what their labels are."""

    clip_ids: list[str]
    shards: list[str]
    rows: list[int]
    targets: NDArray[np.float32]
    duration_seconds: NDArray[np.float64]

    def __len__(self) -> int:
        """Count the clips."""
        return len(self.clip_ids)


@dataclass(frozen=True)
class Batch:
    """waveform (batch, samples) float32; targets (batch, labels) float32, 0 or 1."""

    waveform: NDArray[np.float32]
    targets: NDArray[np.float32]
    clip_ids: list[str]


def clips_of_split(clips: pa.Table, split: str, labels: int) -> Clips:
    """Select the rows of clips.parquet that belong to `split`."""
    chosen = clips.filter(pc.equal(clips["split"], split))
    targets = np.zeros((chosen.num_rows, labels), dtype=np.float32)
    for row, indices in enumerate(chosen["label_indices"].to_pylist()):
        targets[row, indices] = 1.0
    return Clips(
        chosen["clip_id"].to_pylist(),
        chosen["shard"].to_pylist(),
        chosen["row"].to_pylist(),
        targets,
        chosen["duration_seconds"].to_numpy(),
    )


class TrainingBatches:
    """Shuffled batches of fixed length; threads read and decode ahead of the training step."""

    def __init__(
        self, store: AudioStore, clips: Clips, window_samples: int, batch_size: int, seed: int
    ) -> None:
        """Keep what is needed; nothing is read yet."""
        self.store, self.clips = store, clips
        self.window_samples, self.batch_size, self.seed = window_samples, batch_size, seed

    def __len__(self) -> int:
        """Batches in an epoch."""
        return math.ceil(len(self.clips) / self.batch_size)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """Yield every clip once, in the order of this epoch; a shorter last batch is kept."""
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.clips))
        chunks = [
            order[start : start + self.batch_size]
            for start in range(0, len(order), self.batch_size)
        ]
        with ThreadPoolExecutor(_DECODING_THREADS) as pool:
            ahead: list[Future[Batch]] = []
            try:
                for chunk in chunks:
                    ahead.append(pool.submit(self._batch, chunk, epoch))
                    if len(ahead) > _BATCHES_AHEAD:
                        yield ahead.pop(0).result()
                while ahead:
                    yield ahead.pop(0).result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _batch(self, chunk: NDArray[np.int64], epoch: int) -> Batch:
        waveform = np.zeros((len(chunk), self.window_samples), dtype=np.float32)
        for position, index in enumerate(chunk):
            clip = self.store.read(self.clips.shards[index], self.clips.rows[index])
            clip = self._window(clip, int(index), epoch)
            waveform[position, : len(clip)] = clip
        return Batch(waveform, self.clips.targets[chunk], [self.clips.clip_ids[i] for i in chunk])

    def _window(self, clip: NDArray[np.float32], index: int, epoch: int) -> NDArray[np.float32]:
        """Take a random stretch of a clip that is longer than the model hears at once."""
        spare = len(clip) - self.window_samples
        if spare <= 0:
            return clip
        start = int(np.random.default_rng([self.seed, epoch, index]).integers(spare + 1))
        return clip[start : start + self.window_samples]
