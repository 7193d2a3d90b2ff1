"""Which clips may be mixed for which split: recordings never straddle splits.

Held out are fold 5 of ESC-10 and fold 2 of UrbanSound8K, less the recordings that the other folds
hold too: some Freesound recordings are in both data sets. A fifth of the other recordings of each
label is for validation.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from stages.artifacts import read_parquet

_VALID_SHARE = 0.2


@dataclass(frozen=True)
class Source:
    """A clip to mix: where its audio is, its label, and the Freesound recording that it is of."""

    audio: Path
    shard: str
    row: int
    mid: str
    recording_id: str
    held_out: bool


@dataclass(frozen=True)
class SplitSources:
    """Sources of one split: of each label, of each recording, its takes."""

    split: str
    takes: Mapping[str, Mapping[str, tuple[Source, ...]]]

    @property
    def mids(self) -> list[str]:
        """The labels, in a fixed order."""
        return sorted(self.takes)

    @property
    def recordings(self) -> set[str]:
        """All recordings."""
        return {recording for takes in self.takes.values() for recording in takes}


def sources_of(workspace: Path, eval_fold: int) -> list[Source]:
    """The clips of a prepared workspace that are not silent, by one label each."""
    clips = read_parquet(workspace / "clips.parquet", "clips")
    return [
        Source(
            audio=workspace / "audio",
            shard=clip["shard"],
            row=clip["row"],
            mid=clip["mids"][0],
            recording_id=clip["recording_id"],
            held_out=clip["fold"] == eval_fold,
        )
        for clip in clips.filter(pc.is_valid(clips["peak_dbfs"])).to_pylist()
    ]


def split_sources(sources: Iterable[Source]) -> tuple[SplitSources, ...]:
    """Part the sources into train, valid and eval, none of which shares a recording with another."""
    all_sources = list(sources)
    learnt = [source for source in all_sources if not source.held_out]
    known = {source.recording_id for source in learnt}
    valid = _valid_recordings(learnt)
    return (
        _grouped("train", [s for s in learnt if s.recording_id not in valid]),
        _grouped("valid", [s for s in learnt if s.recording_id in valid]),
        _grouped("eval", [s for s in all_sources if s.held_out and s.recording_id not in known]),
    )


def _valid_recordings(learnt: Iterable[Source]) -> Collection[str]:
    """Of each label a fifth of its recordings, at least one, by their hash."""
    of_label: dict[str, set[str]] = defaultdict(set)
    for source in learnt:
        of_label[source.mid].add(source.recording_id)
    chosen: set[str] = set()
    for recordings in of_label.values():
        order = sorted(recordings, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
        chosen.update(order[: max(1, round(_VALID_SHARE * len(order)))])
    return chosen


def _grouped(split: str, sources: Iterable[Source]) -> SplitSources:
    takes: dict[str, dict[str, list[Source]]] = defaultdict(lambda: defaultdict(list))
    for source in sources:
        takes[source.mid][source.recording_id].append(source)
    fixed = {
        mid: {name: tuple(recordings[name]) for name in sorted(recordings)}
        for mid, recordings in takes.items()
    }
    return SplitSources(split, fixed)
