"""Models on the same clips, and how much of a list that is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.pairing import pair
from stages.evaluate.scores_file.predictions import Predictions

LABELS = Labels(("/m/dog", "/m/bark", "/m/cat"), ("Dog", "Bark, loud", "Cat"))


def model(clips: str, source: str = "ours.csv", labels: int = 3) -> Predictions:
    """One clip a letter. Letter k of the alphabet has label k mod 3; scores say clip and source."""
    codes = np.array([ord(clip) for clip in clips], dtype=np.int64)
    targets = (codes[:, None] - ord("a")) % labels == np.arange(labels)
    scores = codes[:, None] + np.arange(labels) / 10 + (1000 if source == "ours.csv" else 2000)
    return Predictions(source, list(clips), scores, targets, [f"group {clip}" for clip in clips])


def test_one_model_is_left_as_it_is() -> None:
    ours = model("bac")
    paired, coverage = pair([ours], None, LABELS)
    assert paired[0] is ours
    assert len(paired) == 1
    assert coverage is None


def test_the_other_is_put_into_the_evaluated_models_order() -> None:
    ours = model("bac")
    (first, second), coverage = pair([ours, model("cab", "theirs.csv")], None, LABELS)
    assert first is ours
    assert second.clip_ids == ["b", "a", "c"]
    assert second.scores[:, 0].tolist() == [2000 + ord(clip) for clip in "bac"]
    np.testing.assert_array_equal(second.targets, ours.targets)
    assert second.source == "theirs.csv"
    assert coverage is None


def test_a_list_of_one_models_clips() -> None:
    (ours,), coverage = pair([model("dbac")], ("a", "b", "x", "a"), LABELS)
    assert ours.clip_ids == ["b", "a"]
    assert ours.groups == ["group b", "group a"]
    assert coverage is not None
    assert coverage.model_dump() == {
        "listed": 3,
        "evaluated": 2,
        "unscored": 1,
        "unscored_by_other": None,
        "not_listed": 2,
        "share": 2 / 3,
    }


def test_a_list_of_two_models_clips() -> None:
    """Evaluated is what is listed and scored by both, in the evaluated model's order."""
    models = [model("edcba"), model("bcxd", "theirs.csv")]
    (ours, theirs), coverage = pair(models, tuple("abcyz"), LABELS)
    assert ours.clip_ids == theirs.clip_ids == ["c", "b"]
    assert ours.scores[:, 0].tolist() == [1000 + ord("c"), 1000 + ord("b")]
    assert theirs.scores[:, 0].tolist() == [2000 + ord("c"), 2000 + ord("b")]
    assert coverage is not None
    assert coverage.model_dump() == {
        "listed": 5,
        "evaluated": 2,
        "unscored": 2,  # y, z
        "unscored_by_other": 3,  # a, y, z
        "not_listed": 2,  # d, e
        "share": 0.4,
    }


def test_the_other_models_file_as_the_list() -> None:
    """What the refusal of other clips suggests."""
    models = [model("edcba"), model("bcxd", "theirs.csv")]
    (ours, _), coverage = pair(models, tuple(models[1].clip_ids), LABELS)
    assert ours.clip_ids == ["d", "c", "b"]
    assert coverage is not None
    assert (coverage.listed, coverage.evaluated, coverage.unscored_by_other) == (4, 3, 0)


@pytest.mark.parametrize(
    ("ours", "theirs", "message", "next_step"),
    [
        (
            "abc",
            "abd",
            "ours.csv has 3 clips, theirs.csv 3, of which 2 are in both: clip 'c' of the first is not",
            "`--clips theirs.csv` evaluates on those that both have",
        ),
        ("abc", "ba", "3 clips, theirs.csv 2, .* 2 are in both: clip 'c' of the first", "--clips"),
        ("ab", "xba", "2 clips, theirs.csv 3, .*: clip 'x' of the second is not", "--clips"),
        ("ab", "cd", "0 are in both: clip 'a' of the first", "scored the same clips"),
    ],
)
def test_other_clips_are_refused(ours: str, theirs: str, message: str, next_step: str) -> None:
    with pytest.raises(ArtifactError, match=message) as caught:
        pair([model(ours), model(theirs, "theirs.csv")], None, LABELS)
    assert next_step in str(caught.value.next_step)


def test_no_clip_is_left() -> None:
    with pytest.raises(
        ArtifactError, match=r"none of the 2 listed clips \('x', ...\) is scored in"
    ):
        pair([model("abc")], ("x", "y"), LABELS)
    with pytest.raises(ArtifactError, match=r"ours.csv \('a', ...\), theirs.csv \('c', ...\)"):
        pair([model("ab"), model("cd", "theirs.csv")], ("a", "c"), LABELS)


@pytest.mark.parametrize("listed", [None, tuple("bcd")])
def test_other_targets_are_refused(listed: tuple[str, ...] | None) -> None:
    ours, theirs = model("abcd"), model("dcba", "theirs.csv")
    theirs.targets[0] = [False, True, True]  # clip d, which has label 0
    message = (
        r"targets of 1 clip differ: clip 'd' has label 0, '/m/dog' \(Dog\), in ours.csv, not in"
    )
    with pytest.raises(ArtifactError, match=message):
        pair([ours, theirs], listed, LABELS)
    theirs.targets[0] = [True, False, True]
    with pytest.raises(ArtifactError, match=r"'/m/cat' \(Cat\), in theirs.csv, not in ours.csv"):
        pair([ours, theirs], listed, LABELS)


def test_targets_of_clips_that_are_left_out_may_differ() -> None:
    ours, theirs = model("abcd"), model("dcba", "theirs.csv")
    theirs.targets[0] = True
    assert pair([ours, theirs], tuple("abc"), LABELS)[0][1].clip_ids == ["a", "b", "c"]


clip_sets = st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True).map("".join)


@given(clip_sets, clip_sets, st.lists(st.sampled_from("abcdefghxy"), min_size=1))
def test_coverage_adds_up(ours: str, theirs: str, listed: list[str]) -> None:
    common = set(ours) & set(theirs) & set(listed)
    models = [model(ours), model(theirs, "theirs.csv")]
    if not common:
        with pytest.raises(ArtifactError, match="none of the"):
            pair(models, tuple(listed), LABELS)
        return
    paired, coverage = pair(models, tuple(listed), LABELS)
    assert coverage is not None
    assert paired[0].clip_ids == [clip for clip in ours if clip in common]
    for one, source in zip(paired, ("ours.csv", "theirs.csv"), strict=True):
        expected = model("".join(paired[0].clip_ids), source)
        np.testing.assert_array_equal(one.scores, expected.scores)
        np.testing.assert_array_equal(one.targets, expected.targets)
        assert one.groups == expected.groups
    assert coverage.listed == len(set(listed))
    assert coverage.listed - coverage.unscored == len(ours) - coverage.not_listed
    assert coverage.share == len(common) / len(set(listed))
