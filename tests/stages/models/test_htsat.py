"""HTS-AT in training, and with other clips and labels than the published ones."""

import pytest
import torch

from stages.errors import UsageError
from stages.models.encoders.htsat import Htsat, picture
from stages.models.tagger import Tagger


@pytest.fixture(scope="module")
def tagger() -> Tagger:
    torch.manual_seed(0)
    return Tagger("htsat", 10, text_dimensions=8)


def noise(clips: int, seconds: float) -> torch.Tensor:
    """Return white noise (clips, samples)."""
    generator = torch.Generator().manual_seed(1)
    return 0.1 * torch.randn(clips, round(32000 * seconds), generator=generator)


@pytest.mark.parametrize("seconds", [0.1, 1.0, 5.0, 10.23])
@torch.no_grad()
def test_windows_of_other_lengths(tagger: Tagger, seconds: float) -> None:
    tagger.eval()
    features = tagger.encoder(tagger.log_mel(noise(2, seconds)))
    assert features.shape == (2, 768, 2, 32)
    assert tagger.encoder.embedding(features).shape == (2, 768)
    logits = tagger.head(features)
    assert logits.shape == (2, 10)
    assert logits.isfinite().all()
    assert not torch.equal(logits[0], logits[1])


def test_longer_windows_are_refused_by_name(tagger: Tagger) -> None:
    with pytest.raises(UsageError, match=r"htsat hears at most 1024 frames .* has 1025") as caught:
        tagger(noise(1, 10.24))
    assert "--clip-seconds" in str(caught.value.next_step)


def test_rows_of_the_picture_are_chunks_of_bands_and_columns_their_frames() -> None:
    log_mel = torch.arange(1024 * 64).reshape(1, 1, 1024, 64).float()
    found = picture(log_mel)
    assert found.shape == (1, 1, 256, 256)
    for chunk, band, column in [(0, 0, 0), (0, 63, 255), (1, 5, 7), (3, 63, 255)]:
        expected = log_mel[0, 0, chunk * 256 + column, band]
        assert found[0, 0, chunk * 64 + band, column] == expected


def test_stretching_keeps_the_first_and_the_last_frame() -> None:
    log_mel = torch.randn(1, 1, 100, 64, generator=torch.Generator().manual_seed(2))
    found = picture(log_mel)
    torch.testing.assert_close(found[0, 0, :64, 0], log_mel[0, 0, 0])
    torch.testing.assert_close(found[0, 0, -64:, -1], log_mel[0, 0, -1])


def test_every_parameter_gets_a_gradient(tagger: Tagger) -> None:
    tagger.train()
    for block in tagger.encoder.modules():
        if hasattr(block, "drop_prob"):
            block.drop_prob = 0.0  # a block that both clips skip has none
    features = tagger.encoder(tagger.log_mel(noise(2, 2.0)))
    assert tagger.projection is not None
    projected = tagger.projection(tagger.encoder.embedding(features))
    (tagger.head(features).square().mean() + projected.square().mean()).backward()
    for name, parameter in tagger.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_blocks_are_skipped_in_training_only() -> None:
    torch.manual_seed(0)
    encoder = Htsat()
    log_mel = 8 * torch.randn(1, 100, 64) - 17
    rates = [block.drop_path1.drop_prob for block in encoder.layers[3].blocks]
    assert rates == pytest.approx([0.1 * 10 / 11, 0.1])
    assert isinstance(encoder.layers[0].blocks[0].drop_path1, torch.nn.Identity)
    encoder.bn0.eval()
    assert len({encoder(log_mel).sum().item() for _ in range(8)}) > 1
    encoder.eval()
    assert torch.equal(encoder(log_mel), encoder(log_mel))


def test_random_weights_start_as_published() -> None:
    fresh = Htsat()
    weight = fresh.layers[2].blocks[0].mlp.fc1.weight
    assert weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert fresh.layers[2].blocks[0].mlp.fc1.bias.abs().max() == 0
    assert fresh.layers[0].downsample.reduction.weight.std().item() == pytest.approx(0.02, rel=0.02)


@torch.no_grad()
def test_bfloat16(tagger: Tagger) -> None:
    tagger.eval()
    expected = tagger(noise(1, 1.0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = tagger(noise(1, 1.0))
    torch.testing.assert_close(found.float(), expected, atol=0.05, rtol=0.05)
