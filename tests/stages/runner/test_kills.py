"""SIGKILL at any moment: nothing is lost, nothing done twice, and no command sees half of a run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Job = Callable[..., Any]

NEW, OLD = (
    {**{f"{i}.txt": f"{word} {i}" for i in range(3)}, "all.txt": f"{word} 3"}
    for word in ("new", "old")
)


@pytest.fixture
def whole(job: Job, tmp_path: Path) -> Callable[[int], dict[str, str]]:
    """What a run of some pieces leaves that nothing disturbs."""

    def run(pieces: int) -> dict[str, str]:
        assert job("run", f'{{"pieces": {pieces}}}') == "done"
        workspace = tmp_path / "W"
        files = (path for path in workspace.rglob("*") if path.is_file())
        return {str(path.relative_to(workspace)): path.read_text() for path in files}

    return run


def test_killed_at_random_moments(job: Job, whole: Callable[[int], dict[str, str]]) -> None:
    rounds = job("random-kills")
    undisturbed = whole(8)
    kills = 0
    for done in rounds:
        for attempt in done["attempts"]:
            assert not set(attempt["finished"]) & set(attempt["begun"]), "done twice"
            kills += attempt["end"] == "SIGKILL"
        assert done["left"] == undisturbed
    resumed = [a for done in rounds for a in done["attempts"] if a["finished"] and a["begun"]]
    assert kills > 24
    assert len(resumed) > 12


def test_killed_at_every_call(job: Job, whole: Callable[[int], dict[str, str]]) -> None:
    states = job("every-call")
    undisturbed = whole(3)
    for state in states:
        assert state["written"] or state["at_once"] in (OLD, NEW)
        assert not (state["written"] and state["recorded"]) or state["at_once"] == OLD
        # The next command, whichever it is, sees all of the old run or all of the new one.
        assert state["then"] == (NEW if state["written"] else state["at_once"])
        assert not set(state["finished"]) & set(state["begun"]), "done twice"
        assert len(state["finished"]) + len(state["begun"]) == 3 * (state["again"] == "done")
        assert state["left"] == undisturbed
    # Each of the cases did occur.
    assert {"SIGKILL", "done"} == {state["end"] for state in states}
    assert {len(state["finished"]) for state in states} == {0, 1, 2, 3}
    assert any(state["written"] and state["at_once"] not in (OLD, NEW) for state in states)
    assert sum(state["again"] == "unchanged" for state in states) > 10


def test_killed_in_the_place_of_another(job: Job, whole: Callable[[int], dict[str, str]]) -> None:
    """What the other had done stays until this one has done something."""
    states = job("every-call-of-another")
    undisturbed = whole(3)
    kept = 0
    for state in states:
        assert state["again"] == "done"
        assert state["left"] == undisturbed
        other, again = state["begun"]
        assert again in (["1", "2"], ["0", "1", "2"])
        if "0" not in other:
            assert again == ["1", "2"]
        kept += again == ["1", "2"]
    assert 10 < kept < len(states) - 10


def test_killed_while_finishing_what_another_run_began(
    job: Job, whole: Callable[[int], dict[str, str]]
) -> None:
    states = job("every-call-of-the-next")
    undisturbed = whole(3)
    assert len(states) > 20
    for state in states:
        assert state["again"] == "unchanged"
        assert state["left"] == undisturbed


def test_two_runs_at_once(job: Job, whole: Callable[[int], dict[str, str]], tmp_path: Path) -> None:
    found = job("two-at-once")
    assert found["refused"] == (
        f"SpaError: another `spa numbers` is at work in {tmp_path / 'W'} (process {found['pid']})"
        " | wait until it is done, or give another --workspace"
    )
    assert found["still"], "neither the second run nor another command may disturb the first"
    assert found["killed"] == "SIGKILL"
    assert found["again"] == "done", "the lock of a killed process is free"
    (tmp_path / "W").rename(tmp_path / "first")
    assert found["left"] == whole(8)
