"""Our EfficientNet-B2 against the reference implementation (YuanGongND/psla, 76aedd19ad31).

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
def tagger() -> Tagger:
    return Tagger("efficientnet_b2", 527).eval()


@pytest.fixture(scope="module")
def loaded(formula: ModuleType, tagger: Tagger) -> Tagger:
    weights = {
        ours(name): torch.from_numpy(values)
        for name, values in formula.model_weights("psla").items()
    }
    missing, unexpected = tagger.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return tagger


def ours(name: str) -> str:
    return name.replace("attention.", "head.") if "attention" in name else f"encoder.{name}"


def test_names_and_shapes_are_the_published(encoders: Path, tagger: Tagger) -> None:
    entries = json.loads((encoders / "psla" / "state_dict.json").read_text())["entries"]
    published = {ours(entry["key"]): tuple(entry["shape"]) for entry in entries}
    assert {name: tuple(value.shape) for name, value in tagger.state_dict().items()} == published


@pytest.mark.parametrize(("name", "seconds"), [("A10", 10.0), ("B3", 3.0)])
@torch.no_grad()
def test_log_mel_embedding_and_probabilities_are_the_references(
    encoders: Path, formula: ModuleType, loaded: Tagger, name: str, seconds: float
) -> None:
    golden = np.load(encoders / "psla" / f"golden_{name}.npz")
    waveform = torch.from_numpy(formula.waveform(16000, seconds)).reshape(1, -1)
    log_mel = loaded.log_mel(waveform)
    heard = log_mel.numpy().ravel()[golden["frontend_norm_idx"]]
    np.testing.assert_allclose(heard, golden["frontend_norm_val"], rtol=0, atol=1e-3)
    features = loaded.encoder(log_mel)
    embedding = loaded.encoder.embedding(features)
    np.testing.assert_allclose(embedding[0], golden["embedding_f64"], rtol=0, atol=1e-3)
    logits = loaded.head(features)[0]
    np.testing.assert_allclose(torch.sigmoid(logits), golden["probs_f64"], rtol=0, atol=2e-4)
    np.testing.assert_allclose(logits, golden["logits_f64"], rtol=0, atol=1e-3)
