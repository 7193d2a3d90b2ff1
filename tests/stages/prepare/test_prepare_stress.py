"""Odd and broken audio of other projects' tests, prepared for real: every file is accounted for."""

import csv
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from stages.check.run import run as check
from stages.check.settings import CheckSettings
from stages.pipeline import PREPARE
from stages.prepare.listing import Reason
from stages.prepare.settings import PrepareSettings
from stages.reporter import QuietReporter
from stages.runner import run_stage


@pytest.fixture
def stress(shared: Path) -> Path:
    return shared / "data" / "stress"


def files_of(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def prepare(stress: Path, workspace: Path, **settings: Any) -> dict[str, bytes]:
    """Prepare the folder, prove that the workspace is whole, and give the artifacts' bytes."""
    reporter = QuietReporter()
    run_stage(PREPARE, PrepareSettings(source=stress, **settings), workspace, reporter)
    assert any("OmAP is meaningless" in warning for warning in reporter.warnings)
    assert check(CheckSettings(), workspace, QuietReporter()).problems == ()
    files = (path for path in sorted(workspace.rglob("*")) if path.is_file())
    return {path.relative_to(workspace).as_posix(): path.read_bytes() for path in files}


def account(workspace: Path) -> list[str]:
    """Every source path in clips and rejects."""
    tables = [pq.read_table(workspace / f"{kind}.parquet") for kind in ("clips", "rejects")]
    assert set(tables[1]["reason"].to_pylist()) <= set(Reason)
    return sorted(path for table in tables for path in table["source_path"].to_pylist())


def assert_same(first: dict[str, bytes], second: dict[str, bytes]) -> None:
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_as_a_folder_of_classes(stress: Path, tmp_path: Path) -> None:
    names = files_of(stress)
    runs = [
        prepare(stress, tmp_path / str(run), layout="folder", workers=workers)
        for run, workers in enumerate((2, 1, 2))
    ]
    assert account(tmp_path / "0") == names
    assert_same(runs[0], runs[1])
    assert_same(runs[0], runs[2])


def test_through_a_manifest(stress: Path, tmp_path: Path) -> None:
    names = files_of(stress)
    manifest = tmp_path / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "labels"])
        writer.writerows([name, name.partition("/")[0]] for name in names)
    runs = [
        prepare(stress, tmp_path / str(workers), manifest=manifest, workers=workers)
        for workers in (1, 2)
    ]
    assert account(tmp_path / "1") == names
    assert_same(runs[0], runs[1])
