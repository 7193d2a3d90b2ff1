"""Our HTS-AT against the reference implementation (RetroCirce/HTS-Audio-Transformer, 2e29471fce7e).

The numbers, and the formulas for weights and waveforms, are in golden/encoders of the shared folder.
"""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from stages.audio.log_mel import LogMel
from stages.models.encoders.htsat import Htsat, TokenSemanticHead, picture


def waveform(formula: ModuleType, name: str) -> torch.Tensor:
    """Return the named waveform (1, samples)."""
    seconds = {"A10": 10.0, "B3": 3.0}
    samples = formula.waveform(32000, seconds[name]) if name in seconds else np.zeros(320000, "f4")
    return torch.from_numpy(samples).reshape(1, -1)


@pytest.fixture(scope="module")
def model(formula: ModuleType) -> tuple[Htsat, TokenSemanticHead]:
    encoder, weights = Htsat(), {}
    head = encoder.make_head(527)
    assert isinstance(head, TokenSemanticHead)
    for name, values in formula.model_weights("htsat").items():
        if not name.startswith(Htsat.published_unused):
            weights[name] = torch.from_numpy(values)
    of_head = {name: weights.pop(name) for name in list(weights) if name.startswith("tscam_conv.")}
    head.load_state_dict(of_head)
    missing, unexpected = encoder.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return encoder.eval(), head.eval()


def test_every_published_name_has_its_place_or_is_declared_unused(
    encoders: Path, model: tuple[Htsat, TokenSemanticHead]
) -> None:
    published = json.loads((encoders / "htsat" / "state_dict.json").read_text())["entries"]
    used = {
        entry["key"]: entry["shape"]
        for entry in published
        if not entry["key"].startswith(Htsat.published_unused)
    }
    encoder, head = model
    ours = {**encoder.state_dict(), **head.state_dict()}
    assert used == {name: list(values.shape) for name, values in ours.items()}
    unused = {entry["key"]: entry["filled"] for entry in published if entry["key"] not in used}
    assert {name for name, learned in unused.items() if learned} == {"head.weight", "head.bias"}


@pytest.mark.parametrize("name", ["A10", "B3", "Z10"])
@torch.no_grad()
def test_embedding_and_logits_are_the_references(
    encoders: Path, formula: ModuleType, model: tuple[Htsat, TokenSemanticHead], name: str
) -> None:
    golden = np.load(encoders / "htsat" / f"golden_{name}.npz")
    encoder, head = model
    features = encoder(LogMel(encoder.front_end)(waveform(formula, name)))
    embedding = encoder.embedding(features)[0].numpy()
    np.testing.assert_allclose(embedding, golden["embedding_f64"], rtol=0, atol=5e-5)
    np.testing.assert_allclose(head(features)[0], golden["logits_f64"], rtol=0, atol=3e-5)
    frame_logits = head.frame_logits(features)[0].numpy()
    np.testing.assert_allclose(frame_logits, golden["frame_logits"], rtol=0, atol=2e-4)


@pytest.mark.parametrize("name", ["A10", "B3"])
@torch.no_grad()
def test_the_picture_is_the_references(
    encoders: Path, formula: ModuleType, model: tuple[Htsat, TokenSemanticHead], name: str
) -> None:
    golden = np.load(encoders / "htsat" / f"golden_{name}.npz")
    encoder, _ = model
    log_mel = LogMel(encoder.front_end)(waveform(formula, name))
    raw = log_mel.numpy().ravel()[golden["frontend_raw_idx"]]
    np.testing.assert_allclose(raw, golden["frontend_raw_val_f64"], rtol=0, atol=5e-3)
    normal = encoder.bn0(log_mel.unsqueeze(1).transpose(1, 3)).transpose(1, 3)
    found = picture(normal).numpy().ravel()[golden["image_idx"]]
    np.testing.assert_allclose(found, golden["image_val"], rtol=0, atol=1e-3)
