"""Which clips share a shard."""

from collections.abc import Iterator
from itertools import islice

from stages.audio.decode import Cut
from stages.prepare.catalogue import Catalogue
from stages.prepare.shards import ClipTask, ShardTask

# Shards enough to keep many workers evenly busy, and of a size whose footer opens fast:
# docs/prepare.md has the measurement.
_SHARDS, _LEAST_CLIPS, _MOST_CLIPS = 64, 16, 256


def plan_shards(catalogue: Catalogue, *, clips: int, cut_if_longer: bool) -> Iterator[ShardTask]:
    """Yield the shards of the table `clips`, in its order; which clips share one depends on nothing else."""
    size = min(max(-(-clips // _SHARDS), _LEAST_CLIPS), _MOST_CLIPS)
    waiting = (
        ClipTask(clip_id, path, row, _cut(start, end, cut_if_longer))
        for clip_id, path, row, start, end in catalogue.stream("clips_to_take.sql")
    )
    number = 0
    while part := tuple(islice(waiting, size)):
        yield ShardTask(f"part-{number:05d}.parquet", part)
        number += 1


def _cut(start: float | None, end: float | None, only_if_longer: bool) -> Cut | None:
    if start is None and end is None:
        return None
    return Cut(start, end, only_if_longer)
