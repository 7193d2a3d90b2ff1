"""EfficientAT's MobileNets as networks to train; what they compute is in tests/golden."""

import pytest
import torch
from torch import Tensor, nn

from stages.audio.log_mel import LogMel
from stages.models.encoders.base import Encoder
from stages.models.encoders.dymn import Dymn10, DynamicConvolution, DynamicReLU
from stages.models.encoders.mobilenet import Mn04, Mn10, Mn40, multiple_of_8

TRAINED = [Mn04, Mn10, Dymn10]


def noise(batch: int, seconds: float) -> Tensor:
    samples = round(32000 * seconds)
    return 0.1 * torch.randn(batch, samples, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("encoder", "millions"), [(Mn04, 0.98), (Mn10, 4.88), (Mn40, 68.43), (Dymn10, 10.55)]
)
def test_as_many_parameters_as_published(encoder: type[Encoder], millions: float) -> None:
    with torch.device("meta"):  # shapes without memory
        built = encoder()
        modules = (built, built.make_head(527))
    count = sum(parameter.numel() for module in modules for parameter in module.parameters())
    assert round(count / 1e6, 2) == millions


@pytest.mark.parametrize("encoder", TRAINED)
def test_every_parameter_learns(encoder: type[Encoder]) -> None:
    torch.manual_seed(0)
    built = encoder().train()
    head = built.make_head(7).train()
    logits = head(built(LogMel(built.front_end)(noise(2, 1.0))))
    assert logits.shape == (2, 7)
    nn.functional.binary_cross_entropy_with_logits(logits, torch.eye(2, 7)).backward()
    for name, parameter in [*built.named_parameters(), *head.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("encoder", TRAINED)
@pytest.mark.parametrize("seconds", [0.02, 1.0, 2.0, 5.0])
def test_clips_of_any_length(encoder: type[Encoder], seconds: float) -> None:
    built = encoder().eval()
    with torch.no_grad():
        features = built(LogMel(built.front_end)(noise(1, seconds)))
    assert built.embedding(features).shape == (1, built.embedding_dimensions)
    assert torch.isfinite(features).all()


@pytest.mark.parametrize("encoder", TRAINED)
def test_half_precision_by_autocast(encoder: type[Encoder]) -> None:
    torch.manual_seed(0)
    built = encoder().train()
    head = built.make_head(3)
    log_mel = LogMel(built.front_end)(noise(2, 1.0))
    with torch.autocast("cpu", torch.bfloat16):
        loss = head(built(log_mel)).float().square().mean()
    loss.backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in built.parameters())


def test_one_clip_does_not_hear_another() -> None:
    """Each clip has its own kernels, also within a batch."""
    torch.manual_seed(0)
    for shape, stride in [((6, 4, 1), 1), ((4, 1, 3), 2), ((4, 1, 5), 1)]:
        layer = DynamicConvolution(5, shape, stride)
        x, context = torch.randn(3, 4, 8, 11), torch.randn(3, 5)
        alone = [layer(x[[i]], context[[i]]) for i in range(3)]
        torch.testing.assert_close(layer(x, context), torch.cat(alone))


def test_four_equal_kernels_are_one_convolution() -> None:
    torch.manual_seed(0)
    layer = DynamicConvolution(5, (4, 1, 3), 2)
    kernel = torch.randn(4, 1, 3, 3)
    layer.weight.data[:] = kernel.reshape(1, 1, 1, -1)
    x = torch.randn(2, 4, 9, 12)
    plain = nn.functional.conv2d(x, kernel, stride=2, padding=1, groups=4)
    torch.testing.assert_close(layer(x, torch.randn(2, 5)), plain)


def test_dynamic_relu_without_a_context_is_relu() -> None:
    layer = DynamicReLU(5, 4)
    x = torch.randn(2, 4, 3, 3)
    nn.init.zeros_(layer.coef_net[0].bias)
    torch.testing.assert_close(layer(x, torch.zeros(2, 5)), torch.relu(x))


def test_head_drops_out_while_it_trains_only() -> None:
    head = Mn04().make_head(3)
    x = torch.ones(64, 384)
    assert head.train()(x).std(dim=0).max() > 0
    assert head.eval()(x).std(dim=0).max() < 1e-6


@pytest.mark.parametrize(
    ("channels", "rounded"), [(3, 8), (12, 16), (25.6, 24), (28.8, 32), (11, 16), (960, 960)]
)
def test_widths_are_multiples_of_8(channels: float, rounded: int) -> None:
    assert multiple_of_8(channels) == rounded
