"""What clips are made of, without rendering them."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.demo_data.labels import all_labels, labels_of_sources
from stages.demo_data.scenes import SPLITS, Scene, compose
from stages.demo_data.settings import DemoDataSettings


def scene(seed: int, split: str, number: int, seconds: float) -> Scene:
    return compose(np.random.default_rng((seed, number)), split, number, seconds)


@given(
    seed=st.integers(0, 2**31 - 1),
    split=st.sampled_from(SPLITS),
    number=st.integers(0, 999_999),
    seconds=st.floats(0.5, 30),
)
def test_a_scene_keeps_to_the_table(seed: int, split: str, number: int, seconds: float) -> None:
    found = scene(seed, split, number, seconds)
    labels = [part.voice.label for part in found.parts]
    assert labels[0] == list(all_labels())[number % len(all_labels())]
    assert 1 <= len(labels) <= 3
    assert len(set(labels)) == len(labels)
    assert 10 <= found.snr_db <= 35
    assert 0 <= found.noise_slope <= 2
    assert -15 <= found.peak_dbfs <= -1
    for part in found.parts:
        assert bool(part.voice.held_out) == (split == "eval")
        assert part.voice.low_cents <= part.cents <= part.voice.high_cents
        assert -10 <= part.level_db <= 0
        assert part.notes
        for note in part.notes:
            assert note.key in part.voice.keys
            assert 1 <= note.velocity <= 127
            assert 0 <= note.start_seconds < min(seconds, note.end_seconds)


def test_all_sizes_of_mixture_occur() -> None:
    counts = Counter(len(scene(0, "train", number, 2.0).parts) for number in range(1000))
    # Shares 0.45, 0.35, 0.2; five standard deviations of a binomial share of 1000 are below 0.08.
    assert [counts[size] / 1000 for size in (1, 2, 3)] == pytest.approx([0.45, 0.35, 0.2], abs=0.08)


@pytest.mark.parametrize("split", SPLITS)
def test_every_label_has_enough_clips_by_default(split: str) -> None:
    settings = DemoDataSettings()
    clips = {
        "train": settings.train_clips,
        "valid": settings.valid_clips,
        "eval": settings.eval_clips,
    }
    counts = Counter(
        label.name
        for number in range(clips[split])
        for label in labels_of_sources(
            part.voice.label for part in scene(settings.seed, split, number, 2.0).parts
        )
    )
    assert len(counts) == len(all_labels())
    assert min(counts.values()) >= {"train": 50, "valid": 6, "eval": 10}[split]


@pytest.mark.parametrize(
    ("sources", "labels"),
    [
        (["Harp"], ["Harp"]),
        (["Snare drum", "Harp"], ["Drum", "Snare drum", "Harp"]),
        (["Piano", "Electric piano"], ["Piano", "Electric piano"]),
        (["Hi-hat", "Cowbell", "Drum"], ["Cowbell", "Drum", "Cymbal", "Hi-hat", "Bell"]),
    ],
)
def test_a_clip_has_its_sources_and_their_ancestors_as_labels(
    sources: list[str], labels: list[str]
) -> None:
    assert [label.name for label in labels_of_sources(sources)] == labels
