"""Scores of whole clips, however long: the model hears windows, a clip has the maximum over them."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray

from stages.models.checkpoint import Checkpoint

_SHORTEST_SECONDS = 1.0  # that every encoder can hear


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
    clips = iter(waveforms)
    while group := [
        windows_of(waveform, window_length(checkpoint, len(waveform)))
        for waveform in islice(clips, batch_size)
    ]:
        if len({windows.shape[1] for windows in group}) == 1:
            scores = score_windows(checkpoint, np.concatenate(group), batch_size)
            ends = np.cumsum([len(windows) for windows in group])
            parts = np.split(scores, ends[:-1])
        else:
            parts = [score_windows(checkpoint, windows, batch_size) for windows in group]
        for part in parts:
            yield part.max(axis=0)


def window_length(checkpoint: Checkpoint, samples: int) -> int:
    """Samples that the model hears at once of a clip of `samples` samples.

    That is what it was trained on; less for a shorter clip where the model takes it as it is.
    """
    sample_rate = checkpoint.header.sample_rate
    window_samples = round(checkpoint.header.clip_seconds * sample_rate)
    if checkpoint.header.pads_short_clips:
        return window_samples
    return min(window_samples, max(samples, round(_SHORTEST_SECONDS * sample_rate)))
