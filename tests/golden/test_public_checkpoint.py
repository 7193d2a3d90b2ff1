"""From a published file to logits: the files as their authors save them, against the references.

The numbers, and the formulas for weights and waveforms, are in golden/encoders of the shared folder.
"""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.models.public_checkpoint import load_into, read_public_checkpoint
from stages.models.tagger import Tagger


def _logits(path: Path, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    found = read_public_checkpoint(path)
    tagger = Tagger(found.encoder, 527).eval()
    load_into(tagger, found, head=True)
    with torch.no_grad():
        logits: Tensor = tagger(torch.from_numpy(waveform).reshape(1, -1))
    return logits.numpy().ravel()


@pytest.mark.parametrize(("name", "seconds"), [("A10", 10.0), ("B3", 3.0)])
def test_the_real_mn04(
    shared: Path, encoders: Path, formula: ModuleType, name: str, seconds: float
) -> None:
    golden = np.load(encoders / "mn04_real_weights" / "golden.npz")
    path = shared / "data" / "weights" / "mn04_as_mAP_432.pt"
    found = _logits(path, formula.waveform(32000, seconds))
    np.testing.assert_allclose(found, golden[f"logits_{name}"].ravel(), atol=3e-4)


@pytest.mark.parametrize(("encoder", "sample_rate"), [("cnn14", 32000), ("cnn14_16k", 16000)])
def test_panns_with_what_their_trainer_saves_beside(
    tmp_path: Path, encoders: Path, formula: ModuleType, encoder: str, sample_rate: int
) -> None:
    """Old format, every entry, STFT constants, and the sampler's arrays."""
    entries = json.loads((encoders / encoder / "state_dict.json").read_text())["entries"]
    filled = formula.model_weights(encoder)
    model = {
        entry["key"]: torch.from_numpy(filled[entry["key"]])
        if entry["filled"]
        else torch.zeros(entry["shape"], dtype=getattr(torch, entry["dtype"]))
        for entry in entries
    }
    sampler = {"indexes_per_class": [np.arange(5)], "queue": [3], "pointers_of_classes": [0]}
    content = {"iteration": 600000, "model": model, "sampler": sampler}
    path = tmp_path / "Cnn14.pth"
    torch.save(content, path, _use_new_zipfile_serialization=False)
    assert read_public_checkpoint(path).encoder == encoder
    found = _logits(path, formula.waveform(sample_rate, 3.0))
    path.unlink()  # a third of a gigabyte
    golden = np.load(encoders / encoder / "golden_B3.npz")
    np.testing.assert_allclose(found, golden["logits_f64"].ravel(), atol=5e-5)
