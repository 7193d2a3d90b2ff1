"""Published weights as the start of a tagger for one's own labels, and as a tagger by themselves."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from stages.errors import ArtifactError, SpaError, UsageError
from stages.models.audioset_labels import audioset_labels
from stages.models.public_start import find_public_weights, open_model, start_from
from stages.models.scoring import score_clips, window_length
from stages.models.tagger import Tagger

CPU = torch.device("cpu")


def say(text: str) -> None:
    raise AssertionError(f"nothing is to be downloaded: {text}")


@pytest.fixture(scope="module")
def mn04(shared: Path) -> Path:
    return shared / "data" / "weights" / "mn04_as_mAP_432.pt"


def test_the_head_for_ones_own_labels_is_that_of_the_published_ones(mn04: Path) -> None:
    """Bark and Rain are AudioSet's, in another order; the third label is nobody's."""
    mids = ("/m/06mb1", "/x/own", "/m/05tny_")
    torch.manual_seed(0)
    tagger = Tagger("mn04", 3)
    before = tagger.state_dict()["head.3.weight"].clone()
    weights = find_public_weights(str(mn04), None, say)
    assert start_from(tagger, weights, mids) == 2
    published = torch.load(mn04, weights_only=True)
    rows = [audioset_labels().mids.index(mid) for mid in ("/m/06mb1", "/m/05tny_")]
    found = tagger.state_dict()
    torch.testing.assert_close(
        found["head.3.weight"][[0, 2]], published["classifier.5.weight"][rows]
    )
    torch.testing.assert_close(found["head.3.bias"][[0, 2]], published["classifier.5.bias"][rows])
    torch.testing.assert_close(found["head.0.weight"], published["classifier.2.weight"])
    assert torch.equal(found["head.3.weight"][1], before[1])


def test_a_started_tagger_scores_as_the_published_one(mn04: Path) -> None:
    """Choosing labels is choosing columns of the scores."""
    generator = np.random.default_rng(0)
    clip = 0.1 * generator.standard_normal(3 * 32000, dtype=np.float32)
    whole = open_model(mn04, CPU)
    mids = ("/m/06mb1", "/m/05tny_")
    tagger = Tagger("mn04", 2).eval()
    start_from(tagger, find_public_weights(str(mn04), None, say), mids)
    (scores,) = score_clips(whole, [clip], 1)
    columns = [whole.header.mids.index(mid) for mid in mids]
    with torch.inference_mode():
        logits = tagger(torch.from_numpy(clip)[None])
    np.testing.assert_allclose(torch.sigmoid(logits)[0].numpy(), scores[columns], atol=1e-6)


def test_a_short_clip_is_heard_as_it_is_and_a_long_one_in_windows(mn04: Path) -> None:
    checkpoint = open_model(mn04, CPU)
    assert window_length(checkpoint, 5 * 32000) == 5 * 32000
    assert window_length(checkpoint, 100) == 32000
    assert window_length(checkpoint, 60 * 32000) == 10 * 32000
    generator = np.random.default_rng(1)
    clips = [
        0.1 * generator.standard_normal(samples, dtype=np.float32)
        for samples in (100, 40000, 96000, 330000)
    ]
    together = list(score_clips(checkpoint, clips, 4))
    for clip, scores in zip(clips, together, strict=True):
        (alone,) = score_clips(checkpoint, [clip], 1)
        np.testing.assert_allclose(scores, alone, atol=1e-5)


def test_another_encoder_than_the_files_is_refused(mn04: Path) -> None:
    with pytest.raises(ArtifactError, match="is of the encoder mn04, not cnn14"):
        find_public_weights(str(mn04), "cnn14", say)


def test_a_short_name_that_nobody_published() -> None:
    with pytest.raises(UsageError, match=r"did you mean efficientat:mn04_as\?"):
        find_public_weights("efficientat:mn04", None, say)


def test_a_file_that_is_neither_ours_nor_published(mn04: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(ArtifactError, match=r"model\.safetensors cannot be read as weights"):
        open_model(path, CPU)
    with pytest.raises(ArtifactError, match="not found"):
        open_model(tmp_path / "absent.safetensors", CPU)
    weights = torch.load(mn04, weights_only=True)
    save_file(weights | {"features.0.1.bias": torch.arange(8)}, path)
    with pytest.raises(ArtifactError, match=r"'features\.0\.1\.bias' is of type torch\.int64"):
        open_model(path, CPU)


@pytest.mark.parametrize("opens", ["init", "model"])
def test_a_damaged_model_of_ours_is_not_taken_for_a_published_one(
    tmp_path: Path, opens: str
) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"a": torch.ones(2)}, path, {"spa": '{"encoder": "small"}'})
    with pytest.raises(ArtifactError, match="header field 'front_end'"):
        open_model(path, CPU) if opens == "model" else find_public_weights(str(path), None, say)


@pytest.mark.parametrize("name", ["x" * 5000, "x:" + "x" * 5000])
def test_a_name_of_any_length_is_looked_for(name: str) -> None:
    with pytest.raises(SpaError) as caught:
        find_public_weights(name, None, say)
    assert name[:80] in caught.value.message
    assert caught.value.next_step


def test_a_head_of_other_labels_cannot_tag(mn04: Path, tmp_path: Path) -> None:
    weights = torch.load(mn04, weights_only=True)
    for name in ("classifier.5.weight", "classifier.5.bias"):
        weights[name] = weights[name][:50].clone()
    path = tmp_path / "esc50.pt"
    torch.save(weights, path)
    with pytest.raises(ArtifactError, match="has a head of 50 labels") as caught:
        open_model(path, CPU)
    assert "spa train --init" in str(caught.value.next_step)
    assert start_from(Tagger("mn04", 2), find_public_weights(str(path), None, say), ("a", "b")) == 0
