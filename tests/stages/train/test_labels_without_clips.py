"""Labels that no training clip has are named."""

import numpy as np
import pytest

from stages.train.labels_without_clips import labels_without_clips

NAMES = [f"Sound {index}, heard" for index in range(10)]


def said(missing: int) -> str | None:
    """What is said where the first labels have no clip."""
    targets = np.ones((3, len(NAMES)), np.float32)
    targets[:, :missing] = 0
    return labels_without_clips(targets, NAMES)


def test_nothing_where_every_label_has_one() -> None:
    assert said(0) is None


def test_one_is_named() -> None:
    assert said(1) == (
        "1 of 10 labels has no training clip and will not be learned: 'Sound 0, heard'"
    )


@pytest.mark.parametrize(("missing", "named", "end"), [(5, 5, "4, heard'"), (7, 5, "and 2 more")])
def test_the_first_are_named_and_the_others_counted(missing: int, named: int, end: str) -> None:
    found = said(missing)
    assert found is not None
    assert found.startswith(f"{missing} of 10 labels have no training clip")
    assert found.count("Sound") == named
    assert found.endswith(end)


def test_without_any_clip_all_are_missing() -> None:
    found = labels_without_clips(np.zeros((0, 2), np.bool_), ["A", "B"])
    assert found is not None
    assert found.endswith("'A', 'B'")
