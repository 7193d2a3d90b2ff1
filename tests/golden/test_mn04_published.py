"""The real published weights of mn04, through the importer, on formula waveforms and recordings.

The numbers (reference: fschmid56/EfficientAT, a425fdce9257) are in golden/encoders/mn04_real_weights of
the shared folder.
"""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from stages.audio.decode import decode_audio
from stages.models.public_start import open_model
from stages.models.tagger import Tagger


@pytest.fixture(scope="module")
def tagger(shared: Path) -> Tagger:
    file = shared / "data" / "weights" / "mn04_as_mAP_432.pt"
    return open_model(file, torch.device("cpu")).tagger


@torch.no_grad()
def outputs(
    tagger: Tagger, waveform: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Embedding and logits of a waveform (samples,)."""
    features = tagger.encoder(tagger.log_mel(torch.from_numpy(waveform).reshape(1, -1)))
    return tagger.encoder.embedding(features)[0].numpy(), tagger.head(features)[0].numpy()


@pytest.mark.parametrize(("clip", "seconds"), [("A10", 10.0), ("B3", 3.0)])
def test_formula_waveforms(
    encoders: Path, formula: ModuleType, tagger: Tagger, clip: str, seconds: float
) -> None:
    golden = np.load(encoders / "mn04_real_weights" / "golden.npz")
    embedding, logits = outputs(tagger, formula.waveform(32000, seconds))
    np.testing.assert_allclose(embedding, golden[f"embedding_{clip}"].ravel(), rtol=0, atol=1e-4)
    np.testing.assert_allclose(logits, golden[f"logits_{clip}_f64"].ravel(), rtol=0, atol=3e-4)


@pytest.mark.parametrize(("rate", "which"), [(32000, "esc10"), (44100, "esc10_unresampled")])
def test_recordings(shared: Path, encoders: Path, tagger: Tagger, rate: int, which: str) -> None:
    """Decoded and resampled by us; at 44100 Hz the samples are fed as they are."""
    folder = encoders / "mn04_real_weights"
    golden = np.load(folder / "golden.npz")
    clips = json.loads((folder / "clips.json").read_text())["clips"]
    for row, clip in enumerate(clips):
        audio = decode_audio(shared / "data" / "esc10" / clip["name"], rate, max_seconds=10)
        assert audio.source_sha256 == clip["sha256"]
        embedding, logits = outputs(tagger, audio.waveform)
        np.testing.assert_allclose(logits, golden[f"logits_{which}_f64"][row], rtol=0, atol=3e-4)
        if which == "esc10":
            np.testing.assert_allclose(embedding, golden["embedding_esc10"][row], rtol=0, atol=1e-4)
            best = [index for _, index, *_ in clip["top5"]]
            assert np.argsort(-logits)[:5].tolist() == best
