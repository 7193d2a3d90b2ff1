"""Render many clips in worker processes."""

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import soundfile

from stages.demo_data.labels import labels_of_sources
from stages.demo_data.layout import Segment
from stages.demo_data.mixture import mix
from stages.demo_data.scenes import SPLITS, compose
from stages.errors import SpaError
from stages.processes import ignore_interrupts, interrupts_held

_BATCH_CLIPS = 4
_MOST_WORKERS = 60  # Windows cannot wait for more at once


@dataclass(frozen=True)
class Job:
    """Everything that all clips depend on, and the data set's folder."""

    seed: int
    clip_seconds: float
    sample_rate: int
    sound_font: Path
    folder: Path


# A clip's split and its number in the split.
Clip = tuple[str, int]


def render_clips(job: Job, clips: Sequence[Clip], workers: int) -> Iterator[Segment]:
    """Render clips in `workers` processes, and give their segments in the order of `clips`.

    Raises:
        SpaError: a worker process died, or a source was silent.
    """
    batches = [clips[first : first + _BATCH_CLIPS] for first in range(0, len(clips), _BATCH_CLIPS)]
    size = min(workers, len(batches), _MOST_WORKERS)
    # Spawned: a fork of a process with threads may hang.
    pool = ProcessPoolExecutor(size, get_context("spawn"), ignore_interrupts)
    try:
        with interrupts_held():
            rendered = pool.map(partial(_render_batch, job), batches)
        for segments in rendered:
            yield from segments
    except BrokenProcessPool as error:
        raise SpaError(
            "a process that renders clips died", "try fewer --workers: memory may be short"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _render_batch(job: Job, clips: Sequence[Clip]) -> list[Segment]:
    return [render_clip(job, clip) for clip in clips]


def render_clip(job: Job, clip: Clip) -> Segment:
    """Render one clip to its place in the job's folder: FLAC, mono, 16 bit.

    What is written depends on nothing but the job, the split and the number.
    """
    split, number = clip
    rng = np.random.default_rng((job.seed, SPLITS.index(split), number))
    scene = compose(rng, split, number, job.clip_seconds)
    samples = mix(rng, scene, job.sound_font, job.clip_seconds, job.sample_rate)
    segment = Segment(
        split=split,
        clip_id=f"{split}{number:06d}",
        labels=labels_of_sources(part.voice.label for part in scene.parts),
    )
    encoded = io.BytesIO()
    soundfile.write(encoded, samples, job.sample_rate, format="FLAC", subtype="PCM_16")
    # Not by soundfile: on a full disk it does not say why it fails.
    (job.folder / segment.audio_path).write_bytes(encoded.getvalue())
    return segment
