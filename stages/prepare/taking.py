"""Store all clips that can be decoded, shard by shard."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stages.prepare.listing import Clip, Reason, Reject, Split
from stages.prepare.shards import Encoding, ShardTask, StoredClip
from stages.prepare.workers import write_shards

# Shards enough to keep many workers evenly busy, and of a size whose footer opens fast:
# docs/prepare.md has the measurement.
_SHARDS, _LEAST_CLIPS, _MOST_CLIPS = 64, 16, 256


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A clip as it was found, its labels as ontology ids, and its split."""

    clip: Clip
    mids: tuple[str, ...]
    split: Split


@dataclass(frozen=True, slots=True)
class TakenClip:
    """A clip of the workspace: what was found, and where and how it is stored."""

    found: LabelledClip
    shard: str
    stored: StoredClip


def take_clips(
    found: Sequence[LabelledClip],
    encoding: Encoding,
    workers: int,
    advance: Callable[[str], None],
) -> tuple[list[TakenClip], list[Reject]]:
    """Write the shards of `found`, in its order; the clips that are stored, and the others.

    Which clips share a shard depends on their number alone.
    """
    size = min(max(-(-len(found) // _SHARDS), _LEAST_CLIPS), _MOST_CLIPS)
    parts = [found[start : start + size] for start in range(0, len(found), size)]
    tasks = [
        ShardTask(
            f"part-{number:05d}.parquet",
            tuple((labelled.clip.clip_id, labelled.clip.path) for labelled in part),
        )
        for number, part in enumerate(parts)
    ]
    taken: list[TakenClip] = []
    rejects: list[Reject] = []
    results = write_shards(tasks, encoding, workers, advance)
    for task, part, part_results in zip(tasks, parts, results, strict=True):
        for labelled, result in zip(part, part_results, strict=True):
            if isinstance(result, StoredClip):
                taken.append(TakenClip(labelled, task.name, result))
            else:
                clip, reason = labelled.clip, Reason(result.code)
                rejects.append(Reject(clip.path, clip.clip_id, reason, result.detail))
    return taken, rejects
