"""Smoothed targets against a plain loop, and what they keep."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from stages.models.losses.smoothing import ontology_closeness, smoothed, text_closeness

seeds = st.integers(0, 2**32 - 1)
shares = st.floats(0, 0.5)


def drawn(seed: int, clips: int, labels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Targets, some of them mixed and some clips without any, and closeness."""
    rng = np.random.default_rng(seed)
    present = rng.random((clips, labels)) < rng.choice([0.0, 0.2, 1.0])
    targets = present * rng.choice([1.0, 0.3], (clips, labels))
    texts = functional.normalize(torch.from_numpy(rng.standard_normal((labels, 3))), dim=1)
    return torch.from_numpy(targets), text_closeness(texts)


@given(seeds, st.integers(1, 6), st.integers(1, 7), shares)
def test_targets_equal_a_plain_loop(seed: int, clips: int, labels: int, share: float) -> None:
    targets, closeness = drawn(seed, clips, labels)
    expected = targets.clone()
    for clip in range(clips):
        for label in range(labels):
            for own in range(labels):
                raised = targets[clip, own] * share * closeness[own, label]
                expected[clip, label] = max(expected[clip, label], raised)
    torch.testing.assert_close(smoothed(targets, closeness, share), expected)


def test_many_labels_and_clips_go_in_blocks() -> None:
    """527 labels and 128 clips, against all pairs of one clip at a time."""
    targets, closeness = drawn(1, 128, 527)
    found = smoothed(targets.float(), closeness.float(), 0.1)
    for clip in range(0, 128, 16):
        near = (targets[clip].float()[:, None] * closeness.float()).amax(dim=0)
        assert torch.equal(found[clip], torch.maximum(targets[clip].float(), 0.1 * near))


@given(seeds, shares)
def test_own_labels_stay_and_the_others_are_at_most_the_share(seed: int, share: float) -> None:
    targets, closeness = drawn(seed, 5, 6)
    found = smoothed(targets, closeness, share)
    assert (found >= targets).all()
    assert (found[targets == 0] <= share + 1e-12).all()
    assert torch.equal(found[targets == 1], targets[targets == 1])
    assert torch.equal(found[targets.sum(dim=1) == 0], targets[targets.sum(dim=1) == 0])
    assert torch.equal(smoothed(targets, closeness, 0), targets)


@given(seeds, shares, st.floats(0, 1))
def test_a_mixture_raises_no_more_than_its_parts_do(seed: int, share: float, part: float) -> None:
    """And a clip mixed with silence raises its neighbours by its part."""
    first, closeness = drawn(seed, 5, 6)
    second = drawn(seed + 1, 5, 6)[0]
    mixed = smoothed(part * first + (1 - part) * second, closeness, share)
    parts = part * smoothed(first, closeness, share) + (1 - part) * smoothed(
        second, closeness, share
    )
    assert (mixed <= parts + 1e-12).all()
    torch.testing.assert_close(
        smoothed(part * first, closeness, share), part * smoothed(first, closeness, share)
    )


@given(seeds)
def test_the_order_of_the_labels_does_not_matter(seed: int) -> None:
    targets, closeness = drawn(seed, 5, 6)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    found = smoothed(targets[:, order], closeness[order][:, order], 0.2)
    assert torch.equal(found, smoothed(targets, closeness, 0.2)[:, order])


def test_labels_with_one_text_are_as_near_as_can_be() -> None:
    texts = torch.eye(3)[[0, 0, 1, 2]]
    found = smoothed(torch.tensor([[1.0, 0, 0, 0]]), text_closeness(texts), 0.1)
    torch.testing.assert_close(found, torch.tensor([[1.0, 0.1, 0, 0]]))


def test_texts_that_point_apart_are_not_near() -> None:
    texts = torch.tensor([[1.0, 0], [-1, 0], [0.6, 0.8]])
    torch.testing.assert_close(
        text_closeness(texts), torch.tensor([[0, 0, 0.6], [0, 0, 0], [0.6, 0, 0]])
    )


@pytest.mark.parametrize(("edges", "nearness"), [(1, 1.0), (2, 0.5), (3, 0.25), (21, 2.0**-20)])
def test_each_edge_in_the_ontology_halves_the_closeness(edges: int, nearness: float) -> None:
    found = ontology_closeness(torch.tensor([[0, edges], [edges, 0]]))
    assert torch.equal(found, torch.tensor([[0.0, nearness], [nearness, 0.0]]))
