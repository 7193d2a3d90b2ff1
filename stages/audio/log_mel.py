"""Log-mel spectrograms in torch: batched, on the device of the waveform, by a declared front end."""

from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own custom
from librosa.filters import mel as slaney_filters
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from stages.audio.kaldi_mel import kaldi_filters
from stages.errors import UsageError


class FrontEnd(BaseModel):
    """How an encoder hears: the settings of its log-mel spectrogram, in the order of what is done.

    The defaults are those of PANNs (Kong et al., IEEE/ACM TASLP 2020, arXiv 1912.10211, section III).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample_rate: int = Field(ge=4000, le=192000)
    fft_samples: int = Field(ge=64, le=65536)
    hop_samples: int = Field(ge=1, le=65536)
    mel_bands: int = Field(ge=1, le=1024)
    fmin_hz: float = Field(ge=0)
    fmax_hz: float = Field(gt=0)
    power_floor: float = Field(1e-10, ge=0, description="Least power; 0: none.")
    window_samples: int | None = Field(None, ge=16, description="Hann window; None: fft_samples.")
    window: Literal["periodic", "symmetric"] = "periodic"
    framing: Literal["centred", "within"] = Field(
        "centred",
        description="Frames centred on the hops, edges reflected; or within the waveform.",
    )
    remove_mean: bool = Field(False, description="That of the clip, and then of each frame.")
    pre_emphasis: Literal["none", "clip", "frame"] = Field(
        "none", description="x[i] - 0.97 x[i-1]: of the clip, which loses a sample, or each frame."
    )
    mel_scale: Literal["slaney", "kaldi"] = "slaney"
    log: Literal["decibels", "natural"] = "decibels"
    power_offset: float = Field(0.0, ge=0, description="Added to the power before the logarithm.")
    frames: int | None = Field(
        None,
        ge=1,
        description="Zeros are appended, or the end cut off; None: as many as there are.",
    )
    shift: float = Field(0.0, description="Subtracted at the end.")
    divisor: float = Field(1.0, gt=0, description="Divided by after that.")

    @property
    def fewest_samples(self) -> int:
        """Samples that the shortest waveform has: for one frame, with edges to reflect if centred."""
        if self.framing == "within":
            return self.window_samples or self.fft_samples
        return self.fft_samples // 2 + 1 + (self.pre_emphasis == "clip")


PRE_EMPHASIS = 0.97


class LogMel(nn.Module):
    """Waveforms to log-mel spectrograms, in float32 whatever the autocast."""

    window: Tensor
    mel_weights: Tensor

    def __init__(self, front_end: FrontEnd) -> None:
        """Compute the window and the mel filters; neither is learned nor saved."""
        super().__init__()
        self.front_end = front_end
        self.window_samples = front_end.window_samples or front_end.fft_samples
        window = torch.hann_window(self.window_samples, periodic=front_end.window == "periodic")
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("mel_weights", _mel_weights(front_end), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return log_mel (batch, frames, mel_bands), float32.

        Args:
            waveform: (batch, samples), float32, full scale is 1; samples at least `fewest_samples`
                of the front end.

        Raises:
            UsageError: fewer samples.
        """
        front_end = self.front_end
        samples, fewest = waveform.shape[1], front_end.fewest_samples
        if samples < fewest:
            raise UsageError(
                f"a waveform of {samples} samples is too short for a spectrogram of windows of"
                f" {front_end.fft_samples}",
                f"give {fewest} samples or more: fill it up with silence",
            )
        with torch.autocast(waveform.device.type, enabled=False):
            mel = self._power(waveform.float()) @ self.mel_weights
            if front_end.power_floor:
                mel = mel.clamp(min=front_end.power_floor)
            if front_end.log == "decibels":
                log_mel = 10.0 * torch.log10(mel + front_end.power_offset)
            else:
                log_mel = torch.log(mel + front_end.power_offset)
            if front_end.frames is not None:
                missing = front_end.frames - log_mel.shape[1]
                log_mel = F.pad(log_mel, (0, 0, 0, missing))  # negative: cut off
            return (log_mel - front_end.shift) / front_end.divisor

    def _power(self, waveform: Tensor) -> Tensor:
        """Power spectrum (batch, frames, bins)."""
        front_end = self.front_end
        if front_end.remove_mean:
            waveform = waveform - waveform.mean(dim=1, keepdim=True)
        if front_end.pre_emphasis == "clip":
            waveform = waveform[:, 1:] - PRE_EMPHASIS * waveform[:, :-1]
        if front_end.framing == "centred":
            spectrum = torch.stft(
                waveform,
                front_end.fft_samples,
                front_end.hop_samples,
                self.window_samples,
                window=self.window,
                center=True,
                pad_mode="reflect",
                return_complex=True,
            ).transpose(1, 2)
        else:
            spectrum = self._spectrum_of_frames(waveform)
        return spectrum.real.square() + spectrum.imag.square()

    def _spectrum_of_frames(self, waveform: Tensor) -> Tensor:
        """Spectrum (batch, frames, bins) of frames that lie within the waveform, as Kaldi's."""
        frames = waveform.unfold(1, self.window_samples, self.front_end.hop_samples)
        if self.front_end.remove_mean:
            frames = frames - frames.mean(dim=2, keepdim=True)
        if self.front_end.pre_emphasis == "frame":
            before = F.pad(frames, (1, 0), mode="replicate")[..., :-1]
            frames = frames - PRE_EMPHASIS * before
        spectrum: Tensor = torch.fft.rfft(frames * self.window, self.front_end.fft_samples)
        return spectrum


def _mel_weights(front_end: FrontEnd) -> Tensor:
    """Mel filters (bins, mel_bands)."""
    make = slaney_filters if front_end.mel_scale == "slaney" else kaldi_filters
    filters = make(
        sr=front_end.sample_rate,
        n_fft=front_end.fft_samples,
        n_mels=front_end.mel_bands,
        fmin=front_end.fmin_hz,
        fmax=front_end.fmax_hz,
    )
    return torch.from_numpy(filters.T.copy())
