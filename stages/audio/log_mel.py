"""Log-mel spectrograms in torch: batched, on the device of the waveform, by a declared front end."""

import torch
from librosa.filters import mel as mel_filters
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn


class FrontEnd(BaseModel):
    """How an encoder hears: the settings of its log-mel spectrogram.

    Hann window (periodic) of `fft_samples`, centred frames with reflected edges, power spectrum,
    Slaney mel bands of equal area, 10 log10 of the power with a floor: the front end of PANNs
    (Kong et al., IEEE/ACM TASLP 2020, arXiv 1912.10211, section III).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample_rate: int = Field(ge=4000, le=192000)
    fft_samples: int = Field(ge=64, le=65536)
    hop_samples: int = Field(ge=1, le=65536)
    mel_bands: int = Field(ge=1, le=1024)
    fmin_hz: float = Field(ge=0)
    fmax_hz: float = Field(gt=0)
    power_floor: float = Field(1e-10, gt=0)


class LogMel(nn.Module):
    """Waveforms to log-mel spectrograms, in float32 whatever the autocast."""

    window: Tensor
    mel_weights: Tensor

    def __init__(self, front_end: FrontEnd) -> None:
        """Compute the window and the mel filters; neither is learned nor saved."""
        super().__init__()
        self.front_end = front_end
        filters = mel_filters(
            sr=front_end.sample_rate,
            n_fft=front_end.fft_samples,
            n_mels=front_end.mel_bands,
            fmin=front_end.fmin_hz,
            fmax=front_end.fmax_hz,
        )
        window = torch.hann_window(front_end.fft_samples, periodic=True)
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("mel_weights", torch.from_numpy(filters.T.copy()), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return log_mel (batch, frames, mel_bands) in dB, float32.

        Args:
            waveform: (batch, samples), float32, full scale is 1. More than half an FFT window long.
                frames = 1 + samples // hop_samples.
        """
        with torch.autocast(waveform.device.type, enabled=False):
            spectrum = torch.stft(
                waveform.float(),
                self.front_end.fft_samples,
                self.front_end.hop_samples,
                window=self.window,
                center=True,
                pad_mode="reflect",
                return_complex=True,
            )
            power = spectrum.real.square() + spectrum.imag.square()
            mel = power.transpose(1, 2) @ self.mel_weights
            return 10.0 * torch.log10(mel.clamp(min=self.front_end.power_floor))
