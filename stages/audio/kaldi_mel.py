"""Mel filters as Kaldi makes them."""

import numpy as np
from numpy.typing import NDArray


def kaldi_filters(
    *, sr: int, n_fft: int, n_mels: int, fmin: float, fmax: float
) -> NDArray[np.float32]:
    """Triangles in mel, as high as 1, over mel(f) = 1127 ln(1 + f / 700): (n_mels, 1 + n_fft / 2).

    The bin at half the sample rate has no weight. (Povey et al., "The Kaldi speech recognition
    toolkit", 2011; `MelBanks` in its feature code.)

    Args:
        sr: sample rate in Hz.
        n_fft: samples of the FFT.
        n_mels: how many filters.
        fmin: where the first filter begins, in Hz.
        fmax: where the last one ends, in Hz.
    """
    lowest, highest = _mel(np.array([fmin, fmax], dtype=np.float64))
    edges = np.linspace(lowest, highest, n_mels + 2)[:, None]
    bins = _mel(np.arange(n_fft // 2) * np.float64(sr / n_fft))
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0.0, np.minimum(rising, falling))
    return np.pad(filters, ((0, 0), (0, 1))).astype(np.float32)


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127.0 * np.log1p(hertz / 700.0)
