"""The texts at scoring: by hand, and what must not change."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from stages.models.text_pull import TextPull


def unit(labels: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return functional.normalize(torch.randn(labels, 6, generator=generator) + 1, dim=1)


def drawn(clips: int, labels: int, seed: int) -> torch.Tensor:
    return torch.randn(clips, labels, generator=torch.Generator().manual_seed(seed)) * 3


@given(seed=st.integers(0, 1000), labels=st.integers(2, 12), strength=st.floats(0, 10))
def test_it_is_the_cosine_to_the_expected_text_less_the_typical_one(
    seed: int, labels: int, strength: float
) -> None:
    texts, logits = unit(labels, seed), drawn(3, labels, seed)
    found = TextPull(texts, strength)(logits)
    pairs = [texts[p] @ texts[c] for p in range(labels) for c in range(labels) if p != c]
    for clip, moved in zip(logits, found, strict=True):
        heard = sum(share * text for share, text in zip(clip.softmax(0), texts, strict=True))
        for label, text in enumerate(texts):
            near = functional.cosine_similarity(heard, text, dim=0)  # type: ignore[arg-type]
            expected = clip[label] + strength * (near - sum(pairs) / len(pairs))
            assert moved[label].item() == pytest.approx(expected.item(), abs=1e-4)


def test_of_equal_logits_the_nearer_label_comes_first() -> None:
    """Label 1 is like label 0, which is heard; label 2 is its opposite."""
    texts = functional.normalize(torch.tensor([[1.0, 0.0], [0.9, 0.3], [-1.0, 0.1]]), dim=1)
    moved = TextPull(texts, 2.0)(torch.tensor([[4.0, -1.0, -1.0]]))[0]
    assert moved[1] > -1 > moved[2]


@given(seed=st.integers(0, 1000))
def test_one_label_and_labels_with_one_text_keep_their_order(seed: int) -> None:
    alike = functional.normalize(torch.ones(5, 3), dim=1)
    logits = drawn(4, 5, seed)
    torch.testing.assert_close(TextPull(alike, 5.0)(logits), logits)
    alone = drawn(4, 1, seed)
    moved = TextPull(unit(1, seed), 2.0)(alone)
    assert torch.equal(moved.argsort(dim=0), alone.argsort(dim=0))


def test_texts_are_saved_with_the_model_and_not_trained() -> None:
    pull = TextPull(unit(4, 0), 2.0)
    assert list(pull.state_dict()) == ["texts"]
    assert not list(pull.parameters())
