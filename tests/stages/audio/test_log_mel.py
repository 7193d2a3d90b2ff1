"""The log-mel front end against librosa."""

import librosa
import numpy as np
import pytest
import torch

from stages.audio.log_mel import FrontEnd, LogMel
from stages.errors import UsageError
from stages.models.encoders import ENCODERS

FRONT_ENDS = [
    FrontEnd(
        sample_rate=32000,
        fft_samples=1024,
        hop_samples=320,
        mel_bands=64,
        fmin_hz=50,
        fmax_hz=14000,
    ),
    FrontEnd(
        sample_rate=16000, fft_samples=512, hop_samples=160, mel_bands=40, fmin_hz=0, fmax_hz=8000
    ),
]


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_equals_librosa(front_end: FrontEnd) -> None:
    waveform = (
        np.random.default_rng(0).standard_normal((3, front_end.sample_rate), dtype=np.float32) * 0.1
    )
    expected = librosa.power_to_db(
        librosa.feature.melspectrogram(
            y=waveform,
            sr=front_end.sample_rate,
            n_fft=front_end.fft_samples,
            hop_length=front_end.hop_samples,
            n_mels=front_end.mel_bands,
            fmin=front_end.fmin_hz,
            fmax=front_end.fmax_hz,
            pad_mode="reflect",
        ),
        amin=front_end.power_floor,
        top_db=None,
    )
    found = LogMel(front_end)(torch.from_numpy(waveform)).numpy()
    assert found.shape == (3, 1 + waveform.shape[1] // front_end.hop_samples, front_end.mel_bands)
    np.testing.assert_allclose(found, expected.transpose(0, 2, 1), atol=2e-3)


def test_silence_is_the_floor_and_a_batch_is_its_clips() -> None:
    log_mel = LogMel(FRONT_ENDS[0])
    waveform = torch.zeros(2, 32000)
    waveform[1] = torch.linspace(-1, 1, 32000)
    found = log_mel(waveform)
    assert torch.equal(found[0], torch.full_like(found[0], -100.0))
    torch.testing.assert_close(found[1:], log_mel(waveform[1:]))


def test_autocast_does_not_touch_the_front_end() -> None:
    log_mel = LogMel(FRONT_ENDS[0])
    waveform = torch.rand(1, 32000, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        inside = log_mel(waveform)
    assert inside.dtype == torch.float32
    assert torch.equal(inside, log_mel(waveform))


@pytest.mark.parametrize("front_end", [encoder.front_end for encoder in ENCODERS.values()])
def test_the_shortest_waveform_is_heard_and_a_shorter_one_refused_by_name(
    front_end: FrontEnd,
) -> None:
    log_mel, fewest = LogMel(front_end), front_end.fewest_samples
    assert log_mel(torch.zeros(1, fewest)).isfinite().all()
    with pytest.raises(UsageError, match=f"a waveform of {fewest - 1} samples") as caught:
        log_mel(torch.zeros(1, fewest - 1))
    assert str(fewest) in str(caught.value.next_step)
