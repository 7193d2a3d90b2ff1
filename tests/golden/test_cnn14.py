"""Our Cnn14 against the reference implementation (qiuqiangkong/audioset_tagging_cnn, d2f4b8c18eab).

The numbers, and the formulas for weights and waveforms, are in golden/encoders of the shared folder.
"""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from stages.audio.log_mel import LogMel
from stages.models.tagger import Tagger


@pytest.fixture(scope="module")
def tagger(formula: ModuleType) -> Tagger:
    model = Tagger("cnn14", 527)
    weights = {}
    for name, values in formula.model_weights("cnn14").items():
        where = name.replace("fc_audioset.", "head.") if "audioset" in name else f"encoder.{name}"
        weights[where] = torch.from_numpy(values)
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    return model.eval()


@pytest.mark.parametrize(("name", "seconds"), [("A10", 10.0), ("B3", 3.0)])
@torch.no_grad()
def test_log_mel_embedding_and_logits_are_the_references(
    encoders: Path, formula: ModuleType, tagger: Tagger, name: str, seconds: float
) -> None:
    golden = np.load(encoders / "cnn14" / f"golden_{name}.npz")
    whole = np.load(encoders / "cnn14" / f"frontend_{name}_f16.npz")
    waveform = torch.from_numpy(formula.waveform(32000, seconds)).reshape(1, -1)
    log_mel = tagger.log_mel(waveform)
    reference = next(iter(whole.values())).reshape(log_mel.shape).astype(np.float64)
    np.testing.assert_allclose(log_mel.numpy(), reference, atol=0.016 + 5e-3)  # float16 rounding
    embedding = tagger.encoder(log_mel)
    np.testing.assert_allclose(
        embedding.numpy().ravel(), golden["embedding_f64"].ravel(), atol=1e-4
    )
    logits = tagger.head(embedding)
    np.testing.assert_allclose(logits.numpy().ravel(), golden["logits_f64"].ravel(), atol=5e-5)


def test_log_mel_of_samples_of_the_reference(
    encoders: Path, formula: ModuleType, tagger: Tagger
) -> None:
    """512 positions in full precision: the tolerance is the golden folder's own."""
    golden = np.load(encoders / "cnn14" / "golden_A10.npz")
    waveform = torch.from_numpy(formula.waveform(32000, 10.0)).reshape(1, -1)
    found = LogMel(tagger.encoder.front_end)(waveform).numpy().ravel()
    positions, values = golden["frontend_raw_idx"], golden["frontend_raw_val_f64"]
    difference = np.abs(found[positions] - values)
    assert difference.max() < 5e-3
    assert difference.mean() < 5e-5
