"""The rules of alignment: plain formulas, bounds, mixtures, clips without labels, gradients."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from stages.models.losses.alignment import (
    align_to_distribution,
    align_to_each,
    align_to_mean,
    mixed_texts,
    text_distributions,
)

Rule = Callable[[Tensor, Tensor, Tensor], Tensor]
RULES: dict[str, Rule] = {
    "mean": align_to_mean,
    "each": align_to_each,
    "soft": partial(align_to_distribution, temperature=0.1),
    "soft, sharp": partial(align_to_distribution, temperature=0.001),
}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=25)  # of each rule


def unit_texts(labels: int, seed: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(labels, 8, generator=generator, dtype=dtype), dim=1)


def projections(clips: int, seed: int = 2, dtype: torch.dtype = torch.float32) -> Tensor:
    return 3 * torch.randn(clips, 8, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def drawn_targets(clips: int, labels: int, seed: int) -> Tensor:
    """Of both kinds, mixed and not; some clips without labels."""
    rng = np.random.default_rng(seed)
    present = rng.random((clips, labels)) < 0.3
    return torch.from_numpy(present * rng.choice([1.0, 0.3, 0.7], (clips, labels))).float()


TARGETS = torch.tensor([[1.0, 0, 1, 0, 0], [0, 0, 0, 0, 1], [0, 0.3, 0, 0.7, 0.7]])


def cosine(a: Tensor, b: Tensor) -> float:
    return float(a @ b / (a.norm() * b.norm()))


def test_mean_is_one_minus_the_cosine_to_the_mean_text() -> None:
    texts, projected = unit_texts(5), projections(3)
    clips = zip(projected, TARGETS, strict=True)
    expected = [
        1 - cosine(z, sum(y * t for y, t in zip(ys, texts, strict=True))) for z, ys in clips
    ]
    assert align_to_mean(projected, TARGETS, texts).item() == pytest.approx(
        np.mean(expected), rel=1e-5
    )


def test_each_is_the_weighted_mean_of_one_minus_the_cosine_to_each_text() -> None:
    texts, projected = unit_texts(5), projections(3)
    expected = [
        np.average([1 - cosine(z, text) for text in texts], weights=ys)
        for z, ys in zip(projected, TARGETS.numpy(), strict=True)
    ]
    assert align_to_each(projected, TARGETS, texts).item() == pytest.approx(
        np.mean(expected), rel=1e-5
    )


@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
def test_soft_is_the_divergence_from_the_mean_of_the_labels_distributions(
    temperature: float,
) -> None:
    texts, projected = unit_texts(5), projections(3)
    expected = []
    for z, ys in zip(projected, TARGETS.numpy(), strict=True):
        of_labels = np.exp((texts @ texts.T).numpy() / temperature)
        of_labels /= of_labels.sum(axis=1, keepdims=True)
        wanted = np.average(of_labels, axis=0, weights=ys)
        heard = np.exp([cosine(z, text) / temperature for text in texts])
        heard /= heard.sum()
        crossed = -(wanted * np.log(heard)).sum()
        expected.append(temperature * (crossed + (wanted * np.log(wanted)).sum()))
    found = align_to_distribution(projected, TARGETS, texts, temperature)
    assert found.item() == pytest.approx(np.mean(expected), rel=1e-4)


@every_rule
def test_nought_where_the_embedding_points_where_the_text_does(rule: Rule) -> None:
    texts = unit_texts(5)
    assert rule(3 * texts, torch.eye(5), texts).item() == pytest.approx(0, abs=1e-6)
    assert rule(-texts, torch.eye(5), texts).item() > 0.5


@every_rule
@few
@given(seed=seeds)
def test_bounds(rule: Rule, seed: int) -> None:
    """In units of a cosine: nothing is farther than two labels that are opposite."""
    texts, targets = unit_texts(6, seed), drawn_targets(5, 6, seed)
    assert -1e-6 <= rule(projections(5, seed), targets, texts).item() <= 2 + 1e-5


@every_rule
@few
@given(seed=seeds)
def test_the_order_of_labels_and_of_clips_does_not_matter(rule: Rule, seed: int) -> None:
    texts, targets, projected = unit_texts(6, seed), drawn_targets(5, 6, seed), projections(5, seed)
    labels = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    clips = torch.randperm(5, generator=torch.Generator().manual_seed(seed))
    found = rule(projected[clips], targets[clips][:, labels], texts[labels])
    torch.testing.assert_close(found, rule(projected, targets, texts), atol=1e-5, rtol=1e-5)


@every_rule
@few
@given(seed=seeds, copies=st.integers(1, 4))
def test_clips_that_come_twice_change_nothing(rule: Rule, seed: int, copies: int) -> None:
    texts, targets, projected = unit_texts(6, seed), drawn_targets(5, 6, seed), projections(5, seed)
    found = rule(projected.repeat(copies, 1), targets.repeat(copies, 1), texts)
    torch.testing.assert_close(found, rule(projected, targets, texts), atol=1e-6, rtol=1e-5)


@every_rule
def test_a_clip_without_labels_takes_no_part(rule: Rule) -> None:
    texts = unit_texts(5)
    projected = projections(2).requires_grad_()
    targets = torch.tensor([[1.0, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    loss = rule(projected, targets, texts)
    twice = rule(projected[:1].repeat(2, 1), targets[:1].repeat(2, 1), texts)
    assert loss.item() == pytest.approx(twice.item())
    loss.backward()  # type: ignore[no-untyped-call]
    assert projected.grad is not None
    assert torch.equal(projected.grad[1], torch.zeros(8))
    assert projected.grad[0].norm() > 0
    assert rule(projected, torch.zeros(2, 5), texts).item() == 0


@every_rule
@pytest.mark.parametrize("part", [0.3, 0.01])
def test_a_clip_mixed_with_one_without_labels_keeps_its_text(rule: Rule, part: float) -> None:
    texts, projected = unit_texts(5), projections(3)
    torch.testing.assert_close(
        rule(projected, part * TARGETS, texts), rule(projected, TARGETS, texts)
    )


@few
@given(seed=seeds, part=st.floats(0, 1))
def test_the_text_of_a_mixture_is_the_mixture_of_texts(seed: int, part: float) -> None:
    texts = unit_texts(6, seed)
    first, second = drawn_targets(5, 6, seed), drawn_targets(5, 6, seed + 1)
    torch.testing.assert_close(
        mixed_texts(part * first + (1 - part) * second, texts),
        part * mixed_texts(first, texts) + (1 - part) * mixed_texts(second, texts),
        atol=1e-5,
        rtol=1e-5,
    )


@few
@given(seed=seeds, part=st.floats(0, 1))
def test_the_distribution_of_a_mixture_is_the_mixture_of_distributions(
    seed: int, part: float
) -> None:
    """Each part counts by its share and by how many labels it has."""
    texts = unit_texts(6, seed)
    first, second = drawn_targets(5, 6, seed), drawn_targets(5, 6, seed + 1)
    labels = part * first.sum(dim=1), (1 - part) * second.sum(dim=1)
    parts = [text_distributions(targets, texts, 0.1) for targets in (first, second)]
    found = text_distributions(part * first + (1 - part) * second, texts, 0.1)
    torch.testing.assert_close(
        (labels[0] + labels[1])[:, None] * found,
        labels[0][:, None] * parts[0] + labels[1][:, None] * parts[1],
        atol=1e-5,
        rtol=1e-5,
    )


@given(seed=seeds)
def test_distributions_sum_to_one_and_favour_the_clips_own_labels(seed: int) -> None:
    texts, targets = unit_texts(6, seed), torch.eye(6)
    found = text_distributions(targets, texts, 0.1)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(6))
    assert torch.equal(found.argmax(dim=1), torch.arange(6))
    assert torch.equal(text_distributions(torch.zeros(1, 6), texts, 0.1), torch.zeros(1, 6))


def test_labels_with_one_text_cannot_be_told_apart() -> None:
    texts = unit_texts(5)[[0, 1, 2, 3, 3]]
    projected, targets = projections(2), torch.eye(5)[3:]
    for rule in RULES.values():
        swapped = rule(projected, targets.flip(0), texts)
        torch.testing.assert_close(rule(projected, targets, texts), swapped)
    one, other = text_distributions(targets, texts, 0.1)[0, 3:]
    assert one == other


@every_rule
@few
@given(seed=seeds)
def test_no_rule_pulls_harder_than_a_cosine_can(rule: Rule, seed: int) -> None:
    """The gradient at an embedding of unit length: at most 1, or 2 by the rule `soft`, at any temperature."""
    texts, targets = unit_texts(6, seed), torch.eye(6)[:1]
    projected = functional.normalize(projections(1, seed), dim=1).requires_grad_()
    rule(projected, targets, texts).backward()  # type: ignore[no-untyped-call]
    assert projected.grad is not None
    assert projected.grad.norm() <= (1 if rule in (align_to_mean, align_to_each) else 2) + 1e-5


@pytest.mark.parametrize("rule", list(RULES.values())[:3], ids=list(RULES)[:3])
def test_the_gradient_is_the_numerical_one(rule: Rule) -> None:
    projected = projections(4, dtype=torch.float64).requires_grad_()
    texts = unit_texts(5, dtype=torch.float64)
    targets = torch.cat([TARGETS, torch.zeros(1, 5)]).double()
    assert torch.autograd.gradcheck(lambda z: rule(z, targets, texts), (projected,))


@every_rule
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_is_raised(rule: Rule, dtype: torch.dtype) -> None:
    projected, texts = projections(3).to(dtype), unit_texts(5)
    loss = rule(projected, TARGETS, texts)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, rule(projected.float(), TARGETS, texts))
