"""Windows of clips, and scores that do not depend on how clips are batched."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stages.models.checkpoint import Checkpoint, ModelHeader
from stages.models.scoring import score_clips, score_windows, window_starts, windows_of
from stages.models.tagger import Tagger


@given(samples=st.integers(1, 500), window=st.integers(1, 100))
def test_windows_cover_every_sample_and_hold_nothing_else(samples: int, window: int) -> None:
    waveform = np.arange(1, samples + 1, dtype=np.float32)
    windows = windows_of(waveform, window)
    assert windows.shape[1] == window
    assert set(windows.ravel()) - {0.0} == set(waveform)
    if samples >= window:
        assert (windows > 0).all()
        assert len(windows) == -(-samples // window)
    starts = window_starts(samples, window)
    assert len(starts) == len(windows)
    assert all(windows[i, 0] == start + 1 for i, start in enumerate(starts))


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    torch.manual_seed(0)
    tagger = Tagger("small", 3).eval()
    header = ModelHeader(
        encoder="small",
        front_end=tagger.encoder.front_end,
        embedding_dimensions=tagger.encoder.embedding_dimensions,
        mids=("a", "b", "c"),
        display_names=("A", "B", "C"),
        clip_seconds=0.5,
        text_space=None,
        ontology_sha256="",
        training={},
        metrics={},
        lineage="{}",
    )
    return Checkpoint(tagger, header, torch.device("cpu"))


def test_a_clip_has_the_maximum_over_its_windows_whatever_the_batch(checkpoint: Checkpoint) -> None:
    generator = np.random.default_rng(0)
    clips = [generator.standard_normal(n, dtype=np.float32) for n in (16000, 40000, 300, 16001)]
    one_by_one = [
        score_windows(checkpoint, windows_of(clip, 16000), 1).max(axis=0) for clip in clips
    ]
    for batch_size in (1, 3, 10):
        found = list(score_clips(checkpoint, clips, batch_size))
        np.testing.assert_allclose(found, one_by_one, atol=1e-5)
    assert all(((scores >= 0) & (scores <= 1)).all() for scores in one_by_one)
