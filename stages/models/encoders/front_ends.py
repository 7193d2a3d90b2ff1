"""What the published encoders hear, where several hear alike."""

from stages.audio.log_mel import FrontEnd

PANNS = FrontEnd(
    sample_rate=32000,
    fft_samples=1024,
    hop_samples=320,
    mel_bands=64,
    fmin_hz=50,
    fmax_hz=14000,
)
"""Decibels in 64 Slaney bands (Kong et al., arXiv 1912.10211, section III); HTS-AT's too."""

KALDI = FrontEnd(
    sample_rate=16000,
    fft_samples=512,
    window_samples=400,
    hop_samples=160,
    window="symmetric",
    framing="within",
    remove_mean=True,
    pre_emphasis="frame",
    mel_scale="kaldi",
    mel_bands=128,
    fmin_hz=20,
    fmax_hz=8000,
    power_floor=1.1920929e-7,
    log="natural",
)
"""Kaldi's filter banks of 25 ms, before normalisation: of AST and PSLA."""

CPJKU = FrontEnd(
    sample_rate=32000,
    fft_samples=1024,
    window_samples=800,
    hop_samples=320,
    window="symmetric",
    pre_emphasis="clip",
    mel_scale="kaldi",
    mel_bands=128,
    fmin_hz=0,
    fmax_hz=15000,
    power_floor=0,
    power_offset=1e-5,
    log="natural",
    shift=-4.5,
    divisor=5.0,
)
"""Kaldi's bands over centred frames of the pre-emphasised clip: of PaSST and EfficientAT."""
