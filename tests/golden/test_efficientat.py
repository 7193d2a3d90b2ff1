"""Our MobileNets against the reference implementation (fschmid56/EfficientAT, a425fdce9257).

The numbers, and the formulas for weights and waveforms, are in golden/encoders of the shared folder.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

from stages.audio.decode import decode_audio
from stages.models.encoders.dymn import Dymn10
from stages.models.tagger import Tagger

WAVEFORMS = {"A10": 10.0, "B3": 3.0}


def tagger_with(encoder: str, weights: Mapping[str, Tensor]) -> Tagger:
    """Load published weights by what the encoder declares of their names; nothing may be left over."""
    model = Tagger(encoder, 527)
    wanted = {}
    for name, values in weights.items():
        if name.startswith(model.encoder.published_unused):
            continue
        where = f"encoder.{name}"
        for beginning, place in model.encoder.published_head.items():
            if name.startswith(beginning):
                where = "head." + place + name.removeprefix(beginning)
        wanted[where] = values
    missing, unexpected = model.load_state_dict(wanted, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return model.eval()


@torch.no_grad()
def outputs(tagger: Tagger, waveform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Embedding and logits of a waveform (samples,)."""
    features = tagger.encoder(tagger.log_mel(torch.from_numpy(waveform).reshape(1, -1)))
    embedding = tagger.encoder.embedding(features)
    return embedding.numpy().ravel(), tagger.head(features).numpy().ravel()


@pytest.fixture(scope="module", params=["mn04", "mn10", "dymn10"])
def name(request: pytest.FixtureRequest) -> str:
    encoder: str = request.param
    return encoder


@pytest.fixture(scope="module")
def tagger(formula: ModuleType, name: str) -> Tagger:
    weights = formula.model_weights(name)
    return tagger_with(name, {key: torch.from_numpy(values) for key, values in weights.items()})


def test_every_published_entry_has_its_place_and_shape(
    encoders: Path, name: str, tagger: Tagger
) -> None:
    entries = json.loads((encoders / name / "state_dict.json").read_text())["entries"]
    tagger_with(name, {entry["key"]: torch.zeros(entry["shape"]) for entry in entries})
    theirs = sum(np.prod(entry["shape"]) for entry in entries if entry["parameter"])
    assert theirs == sum(parameter.numel() for parameter in tagger.parameters())


def check(encoders: Path, name: str, tagger: Tagger, clip: str, waveform: np.ndarray) -> None:
    golden = np.load(encoders / name / f"golden_{clip}.npz")
    meta = json.loads((encoders / name / "meta.json").read_text())
    tolerance = meta["suggested_max_abs_tolerance_A10_B3"]
    embedding, logits = outputs(tagger, waveform)
    np.testing.assert_allclose(
        embedding, golden["embedding_f64"], rtol=0, atol=tolerance["embedding"]
    )
    np.testing.assert_allclose(logits, golden["logits_f64"], rtol=0, atol=tolerance["logits"])


@pytest.mark.parametrize("clip", WAVEFORMS)
def test_embedding_and_logits_are_the_references(
    encoders: Path, formula: ModuleType, name: str, tagger: Tagger, clip: str
) -> None:
    check(encoders, name, tagger, clip, formula.waveform(32000, WAVEFORMS[clip]))


@pytest.mark.parametrize("name", ["mn04", "mn10"], indirect=True)  # dymn10's runs away on silence
def test_embedding_and_logits_of_silence(encoders: Path, name: str, tagger: Tagger) -> None:
    check(encoders, name, tagger, "Z10", np.zeros(320000, np.float32))


@pytest.fixture(scope="module")
def published(shared: Path) -> Tagger:
    file = shared / "data" / "weights" / "mn04_as_mAP_432.pt"
    return tagger_with("mn04", torch.load(file, weights_only=True))


@pytest.mark.parametrize("clip", ["A10", "B3"])
def test_published_weights_on_formula_waveforms(
    encoders: Path, formula: ModuleType, published: Tagger, clip: str
) -> None:
    golden = np.load(encoders / "mn04_real_weights" / "golden.npz")
    embedding, logits = outputs(published, formula.waveform(32000, WAVEFORMS[clip]))
    np.testing.assert_allclose(embedding, golden[f"embedding_{clip}"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(logits, golden[f"logits_{clip}_f64"], rtol=0, atol=3e-4)


@pytest.mark.parametrize(("rate", "which"), [(32000, "esc10"), (44100, "esc10_unresampled")])
def test_published_weights_on_recordings(
    shared: Path, encoders: Path, published: Tagger, rate: int, which: str
) -> None:
    """Decoded and resampled by us; at 44100 Hz the samples are fed as they are."""
    folder = encoders / "mn04_real_weights"
    golden = np.load(folder / "golden.npz")
    clips = json.loads((folder / "clips.json").read_text())["clips"]
    for row, clip in enumerate(clips):
        audio = decode_audio(shared / "data" / "esc10" / clip["name"], rate, max_seconds=10)
        assert audio.source_sha256 == clip["sha256"]
        embedding, logits = outputs(published, audio.waveform)
        np.testing.assert_allclose(logits, golden[f"logits_{which}_f64"][row], rtol=0, atol=3e-4)
        if which == "esc10":
            np.testing.assert_allclose(embedding, golden["embedding_esc10"][row], rtol=0, atol=1e-4)
            best = [index for _, index, *_ in clip["top5"]]
            assert np.argsort(-logits)[:5].tolist() == best


def test_constants_of_dynamic_blocks_are_declared_unused(encoders: Path) -> None:
    entries = json.loads((encoders / "dymn10" / "state_dict.json").read_text())["entries"]
    constants = {
        entry["key"]
        for entry in entries
        if not entry["filled"] and not entry["key"].endswith("num_batches_tracked")
    }
    assert constants == set(Dymn10.published_unused)
