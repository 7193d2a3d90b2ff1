"""Our Cnn14 at 16 kHz against the reference (qiuqiangkong/audioset_tagging_cnn, d2f4b8c18eab).

The numbers, and the formulas for weights and waveforms, are in golden/encoders of the shared folder.
"""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from stages.models.tagger import Tagger


@pytest.fixture(scope="module")
def tagger(formula: ModuleType) -> Tagger:
    model = Tagger("cnn14_16k", 527)
    weights = {
        ours(name): torch.from_numpy(values)
        for name, values in formula.model_weights("cnn14_16k").items()
    }
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return model.eval()


def ours(name: str) -> str:
    return name.replace("fc_audioset.", "head.") if "audioset" in name else f"encoder.{name}"


def test_names_and_shapes_are_the_published(encoders: Path, tagger: Tagger) -> None:
    entries = json.loads((encoders / "cnn14_16k" / "state_dict.json").read_text())["entries"]
    published = {
        ours(entry["key"]): tuple(entry["shape"])
        for entry in entries
        if not entry["key"].startswith(tagger.encoder.published_unused)
    }
    assert {name: tuple(value.shape) for name, value in tagger.state_dict().items()} == published


def waveform_of(formula: ModuleType, name: str) -> torch.Tensor:
    if name == "Z10":
        return torch.zeros(1, 160000)
    return torch.from_numpy(formula.waveform(16000, float(name[1:]))).reshape(1, -1)


@pytest.mark.parametrize(("name", "tolerance"), [("A10", 5e-5), ("B3", 5e-5), ("Z10", 5e-4)])
@torch.no_grad()
def test_log_mel_embedding_and_logits_are_the_references(
    encoders: Path, formula: ModuleType, tagger: Tagger, name: str, tolerance: float
) -> None:
    """On silence logits reach 17, so the golden folder allows ten times as much there."""
    golden = np.load(encoders / "cnn14_16k" / f"golden_{name}.npz")
    log_mel = tagger.log_mel(waveform_of(formula, name))
    heard = log_mel.numpy().ravel()[golden["frontend_raw_idx"]]
    np.testing.assert_allclose(heard, golden["frontend_raw_val"], rtol=0, atol=5e-3)
    features = tagger.encoder(log_mel)
    embedding = tagger.encoder.embedding(features)[0]
    np.testing.assert_allclose(embedding, golden["embedding_f64"], rtol=0, atol=2 * tolerance)
    logits = tagger.head(features)[0]
    np.testing.assert_allclose(logits, golden["logits_f64"], rtol=0, atol=tolerance)
