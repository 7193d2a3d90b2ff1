"""Scores of whole clips, however long: the model hears windows, a clip has the maximum over them."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from stages.models.checkpoint import Checkpoint


def windows_of(waveform: NDArray[np.float32], window_samples: int) -> NDArray[np.float32]:
    """Cut a waveform (samples,) into (windows, window_samples).

    A shorter clip is filled up with silence. The last window of a longer one ends with the clip, so
    that it overlaps the one before instead of holding silence that the clip does not have.
    """
    if len(waveform) < window_samples:
        waveform = np.pad(waveform, (0, window_samples - len(waveform)))
    starts = window_starts(len(waveform), window_samples)
    return np.stack([waveform[start : start + window_samples] for start in starts])


def window_starts(samples: int, window_samples: int) -> list[int]:
    """First sample of each window of a clip of `samples` samples."""
    last = max(samples - window_samples, 0)
    return [*range(0, last, window_samples), last]


@torch.inference_mode()
def score_windows(
    checkpoint: Checkpoint, windows: NDArray[np.float32], batch_size: int
) -> NDArray[np.float32]:
    """Return scores (windows, labels) in [0, 1] of windows (windows, samples)."""
    scores = []
    for start in range(0, len(windows), batch_size):
        batch = torch.from_numpy(windows[start : start + batch_size]).to(checkpoint.device)
        logits = checkpoint.tagger(batch)
        scores.append(torch.sigmoid(logits.float()).cpu().numpy())
    return np.concatenate(scores)


def score_clips(
    checkpoint: Checkpoint, waveforms: Iterable[NDArray[np.float32]], batch_size: int
) -> Iterator[NDArray[np.float32]]:
    """Yield scores (labels,) in [0, 1], one a clip, in order.

    Args:
        checkpoint: the model.
        waveforms: each (samples,), float32, at the model's sample rate.
        batch_size: clips whose windows are scored at once.
    """
    window_samples = window_length(checkpoint)
    clips = iter(waveforms)
    while group := [windows_of(waveform, window_samples) for waveform in islice(clips, batch_size)]:
        scores = score_windows(checkpoint, np.concatenate(group), batch_size)
        ends = np.cumsum([len(windows) for windows in group])
        for part in np.split(scores, ends[:-1]):
            yield part.max(axis=0)


def window_length(checkpoint: Checkpoint) -> int:
    """Samples that the model hears at once."""
    return round(checkpoint.header.clip_seconds * checkpoint.header.sample_rate)
