"""Jobs of `numbers_program.py`, in a process of their own."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Job = Callable[..., Any]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Call a job in tmp_path; what it prints, read."""

    def call(name: str, *arguments: str) -> Any:
        program = Path(__file__).with_name("numbers_program.py")
        command = [sys.executable, str(program), name, str(tmp_path), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call
