"""The confusions that matter, against loops over clips and labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from stages.evaluate.confusions import FoundConfusion, Scored, find_confusions
from stages.metrics.ranking import clip_categories

# Of four labels in a row: 0 - 1 - 2 - 3.
LINE = np.abs(np.subtract.outer(np.arange(4), np.arange(4))).astype(np.uint8)


def find(
    scores: object, targets: object, threshold: float = 0.5, limit: int = 10, other: object = None
) -> list[FoundConfusion]:
    hot = np.array(targets, dtype=bool)
    models = [Scored(np.array(each), threshold) for each in (scores, other) if each is not None]
    return find_confusions(models, hot, clip_categories(hot, LINE), LINE, limit)


def naive_pairs(
    scores: NDArray[np.float64], targets: NDArray[np.bool_], threshold: float
) -> dict[tuple[int, int], list[int]]:
    """The clips of every pair (true label, false label)."""
    pairs: dict[tuple[int, int], list[int]] = {}
    for clip in range(len(scores)):
        own = [label for label in range(4) if targets[clip, label]]
        for label in range(4):
            if own and label not in own and scores[clip, label] >= threshold:
                nearest = min(own, key=lambda mine: (abs(mine - label), mine))
                pairs.setdefault((nearest, label), []).append(clip)
    return pairs


@given(st.data())
def test_confusions_are_those_of_a_loop(data: st.DataObject) -> None:
    clips = data.draw(st.integers(1, 12))
    cells = st.lists(st.integers(0, 4), min_size=4, max_size=4)
    rows = st.lists(cells, min_size=clips, max_size=clips)
    scores, other = (np.array(data.draw(rows)) / 4 for _ in range(2))
    targets = np.array(data.draw(rows)) > 2
    if not targets.any():
        targets[0, 0] = True
    limit = data.draw(st.integers(1, 12))
    found = find(scores, targets, limit=limit, other=other)

    pairs = naive_pairs(scores, targets, 0.5)
    others = naive_pairs(other, targets, 0.5)
    ranked = sorted(pairs, key=lambda pair: (-abs(pair[0] - pair[1]) * len(pairs[pair]), pair))
    assert [(one.true_label, one.false_label) for one in found] == ranked[:limit]
    shown: set[int] = set()
    for one in found:
        pair = (one.true_label, one.false_label)
        assert one.distance == abs(pair[0] - pair[1])
        assert one.count == len(pairs[pair])
        assert one.other_count == len(others.get(pair, []))
        assert one.clips == targets[:, one.true_label].sum()
        assert one.mean_score == pytest.approx(scores[pairs[pair], one.false_label].mean())
        unseen = [clip for clip in pairs[pair] if clip not in shown] or pairs[pair]
        assert one.clip == max(unseen, key=lambda clip: (scores[clip, pair[1]], -clip))
        assert one.score == scores[one.clip, one.false_label]
        shown.add(one.clip)


def test_a_rarer_confusion_that_is_far_off_comes_before_a_near_one() -> None:
    scores = np.zeros((3, 4))
    scores[:2, 1] = 0.9  # one edge off, twice: costs 2
    scores[2, 3] = 0.6  # three edges off, once: costs 3
    targets = np.eye(4)[[0, 0, 0]]
    found = find(scores, targets)
    assert [(one.false_label, one.count, one.distance) for one in found] == [(3, 1, 3), (1, 2, 1)]
    assert found[0].other_count is None


def test_of_labels_as_near_the_first_is_confused() -> None:
    assert find([[0, 0.9, 0, 0]], [[1, 0, 1, 0]])[0].true_label == 0


def test_clips_without_labels_and_tags_below_the_threshold_have_no_say() -> None:
    assert find([[0.9, 0.9, 0.9, 0.9], [0.9, 0.4, 0.4, 0.4]], [[0, 0, 0, 0], [1, 0, 0, 0]]) == []


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_score_that_is_the_threshold_is_confident_in_its_own_precision(dtype: type) -> None:
    scores = np.array([[0, 0.3, 0, 0]], dtype=dtype)
    assert len(find(scores, [[1, 0, 0, 0]], threshold=0.3)) == 1


def test_a_model_has_its_own_threshold() -> None:
    hot = np.array([[True, False, False, False]])
    scores = np.array([[0, 4.0, 0, 0]])
    models = [Scored(scores, 3.0), Scored(scores, 5.0)]
    found = find_confusions(models, hot, clip_categories(hot, LINE), LINE, 5)
    assert [(one.count, one.other_count) for one in found] == [(1, 0)]
