"""PANNs Cnn14 at 16 kHz (Kong et al., IEEE/ACM TASLP 2020, arXiv 1912.10211).

The network is Cnn14's, parameter names too; only what it hears differs.
"""

from typing import ClassVar

from stages.audio.log_mel import FrontEnd
from stages.models.encoders.cnn14 import Cnn14


class Cnn14At16kHz(Cnn14):
    """Cnn14 of audio at 16 kHz: half the FFT and half the hop, so as many frames a second."""

    name: ClassVar[str] = "cnn14_16k"
    front_end: ClassVar[FrontEnd] = FrontEnd(
        sample_rate=16000,
        fft_samples=512,
        hop_samples=160,
        mel_bands=64,
        fmin_hz=50,
        fmax_hz=8000,
    )
