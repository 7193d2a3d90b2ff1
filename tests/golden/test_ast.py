"""Our AST against the reference implementation (YuanGongND/ast, 31088be8a3f6).

The numbers, and the formulas for weights and waveforms, are in golden/encoders of the shared folder.
"""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from stages.models.tagger import Tagger


@pytest.fixture(scope="module")
def tagger(formula: ModuleType) -> Tagger:
    model = Tagger("ast", 527)
    unused = model.encoder.published_unused
    weights = {}
    for name, values in formula.model_weights("ast").items():
        if not name.startswith(unused):
            where = name.replace("mlp_head.", "head.") if "mlp_head" in name else f"encoder.{name}"
            weights[where] = torch.from_numpy(values)
    model.load_state_dict(weights, strict=True)
    return model.eval()


def test_the_published_checkpoint_has_nothing_unaccounted_for(
    formula: ModuleType, tagger: Tagger
) -> None:
    names = {entry["key"] for entry in formula.listing("ast")["entries"]}
    unused = {name for name in names if name.startswith(tagger.encoder.published_unused)}
    assert len(unused) == 4
    head = {f"mlp_head.{name}" for name in tagger.head.state_dict()}
    assert names - unused == head | set(tagger.encoder.state_dict())


@pytest.mark.parametrize("name", ["A10", "B3", "Z10"])
@torch.inference_mode()
def test_log_mel_embedding_and_logits_are_the_references(
    encoders: Path, formula: ModuleType, tagger: Tagger, name: str
) -> None:
    """Three seconds are padded to 1024 frames, as the reference does."""
    golden = np.load(encoders / "ast" / f"golden_{name}.npz")
    waveform = np.zeros(160000, dtype=np.float32)
    if name != "Z10":
        waveform = formula.waveform(16000, {"A10": 10.0, "B3": 3.0}[name])
    log_mel = tagger.log_mel(torch.from_numpy(waveform).unsqueeze(0))
    assert log_mel.shape == (1, *golden["frontend_norm_shape"])
    found = log_mel.numpy().ravel()[golden["frontend_norm_idx"]]
    np.testing.assert_allclose(found, golden["frontend_norm_val"], rtol=0, atol=5e-3 / 9.1379948)
    embedding = tagger.encoder(log_mel)
    np.testing.assert_allclose(embedding.numpy()[0], golden["embedding_f64"], rtol=0, atol=5e-5)
    logits = tagger.head(embedding)
    np.testing.assert_allclose(logits.numpy()[0], golden["logits_f64"], rtol=0, atol=5e-5)
