"""Set (d): clips of one to three sounds of ESC-10 and UrbanSound8K, as a data set with a manifest.

How many sounds a clip has (1, 2 or 3), which labels (all different), which recording of a label and
which take of it is drawn uniformly. So every label is in about as many clips, and a recording with
many takes weighs no more than one with few.
"""

import csv
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile as sf

from ablation.mixing import mix
from ablation.mixture_sources import Source, SplitSources
from stages.audio.store import AudioStore

MOST_SOUNDS = 3
CLIP_SECONDS = 4.0


@dataclass(frozen=True)
class MixtureSizes:
    """How many clips each split gets."""

    train: int
    valid: int
    eval: int


@dataclass(frozen=True)
class Mixture:
    """One row of the manifest."""

    path: str
    split: str
    sources: tuple[Source, ...]

    def row(self) -> tuple[str, str, str, str, str]:
        """The cells of `COLUMNS`; clips count as takes of the recording of their first sound."""
        recordings = [source.recording_id for source in self.sources]
        labels = ";".join(source.mid for source in self.sources)
        return self.path, labels, self.split, recordings[0], " ".join(recordings)


COLUMNS = ("path", "labels", "split", "recording_id", "sources")


def write_mixtures(
    folder: Path, splits: Sequence[SplitSources], sizes: MixtureSizes, seed: int
) -> None:
    """Write `folder` with manifest.csv and audio/*.flac, 16 bit, at the sources' sample rate.

    The same sources, sizes and seed give the same files. The folder appears when it is complete.

    Raises:
        FileExistsError: it is there already.
    """
    if folder.exists():
        raise FileExistsError(folder)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "audio").mkdir(parents=True)
    with (partial / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        rows.writerows(mixture.row() for mixture in _written(partial, splits, sizes, seed))
    partial.rename(folder)


def _written(
    folder: Path, splits: Sequence[SplitSources], sizes: MixtureSizes, seed: int
) -> Iterator[Mixture]:
    store_of = cache(AudioStore)
    for place, pool in enumerate(splits):
        for number in range(getattr(sizes, pool.split)):
            generator = np.random.default_rng((seed, place, number))
            sources = draw(pool, generator)
            mixture = Mixture(f"audio/{pool.split}-{number:05d}.flac", pool.split, sources)
            sounds = [store_of(one.audio).read(one.shard, one.row) for one in sources]
            rate = store_of(sources[0].audio).sample_rate(sources[0].shard, sources[0].row)
            waveform = mix(sounds, round(CLIP_SECONDS * rate), generator)
            sf.write(folder / mixture.path, waveform, rate, subtype="PCM_16")
            yield mixture


def draw(pool: SplitSources, generator: np.random.Generator) -> tuple[Source, ...]:
    """One to three sources of different labels."""
    many = int(generator.integers(1, MOST_SOUNDS + 1))
    mids = generator.choice(pool.mids, size=many, replace=False).tolist()
    drawn = []
    for mid in mids:
        recordings = list(pool.takes[mid].values())
        takes = recordings[int(generator.integers(len(recordings)))]
        drawn.append(takes[int(generator.integers(len(takes)))])
    return tuple(drawn)
