"""A workspace that is whole is said to be, and is only read."""

import os
from pathlib import Path

import pytest

from stages.check.run import run
from stages.check.settings import CheckSettings
from stages.check.tables import REJECT_REASONS
from stages.errors import MissingInputError
from stages.prepare.listing import Reason
from stages.reporter import QuietReporter


def test_a_whole_workspace(workspace) -> None:
    summary = workspace.check()
    assert summary.problems == ()
    assert summary.whole
    assert (summary.clips, summary.labels, summary.rejects, summary.shards) == (5, 2, 1, 2)
    assert summary.sample_rate == 8000
    assert summary.hours == pytest.approx((5 * 0.1 + 0.01 * (1 + 2 + 3 + 4)) / 3600)
    files = (workspace.path / "audio").iterdir()
    stored = sum(len(encoded) for file in files for _, encoded in workspace.shard(file.name))
    assert summary.audio_bytes == stored


def test_the_number_of_workers_changes_nothing(workspace) -> None:
    (workspace.path / "audio" / "part-00000.parquet").write_bytes(b"PAR1")
    assert workspace.check(workers=1) == workspace.check(workers=3)


def test_a_workspace_that_cannot_be_written(workspace) -> None:
    """As far as the system keeps this user from writing: the bytes and times are compared anyway."""
    folders = [path for path in [workspace.path, *workspace.path.rglob("*")] if path.is_dir()]
    for folder in folders:
        folder.chmod(0o500)
    try:
        assert workspace.check().whole
    finally:
        for folder in folders:
            folder.chmod(0o700)


def test_nothing_is_written_where_the_command_is_called(workspace, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    before = Path.cwd()
    os.chdir(here)
    try:
        assert workspace.check().whole
    finally:
        os.chdir(before)
    assert list(here.iterdir()) == []


def test_where_nothing_was_prepared(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="holds nothing that `spa prepare` has made"):
        run(CheckSettings(), tmp_path / "nowhere", QuietReporter())
    assert not (tmp_path / "nowhere").exists()


def test_the_reasons_are_those_of_prepare() -> None:
    assert set(REJECT_REASONS) == {reason.value for reason in Reason}
