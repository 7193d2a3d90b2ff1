"""torch.compile: where it works and where it cannot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stages.models.tagger import Tagger
from stages.train.compilation import compile_encoder

PROGRAM = """
import logging

from stages.errors import SpaError
from stages.models.tagger import Tagger
from stages.train.compilation import compile_encoder

try:
    compile_encoder(Tagger("small", 2))
except SpaError as error:
    print(error.message, "|", error.next_step)
logging.getLogger("torch._inductor").warning("a remark")
logging.getLogger("torch._inductor").error("a problem")
logging.getLogger("spa").warning("our own")
"""


def without_a_compiler(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {
        "PATH": str(folder),
        "CXX": str(folder / "none"),
        "TORCHINDUCTOR_CACHE_DIR": str(folder),
    }
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]  # as `spa` runs
    return subprocess.run(
        command, env=os.environ | own | environment, capture_output=True, text=True, check=True
    )


def test_without_a_compiler_one_line_says_what_is_missing(tmp_path: Path) -> None:
    done = without_a_compiler(tmp_path)
    said = done.stdout
    assert said.startswith("--compile: torch.compile does not work here: ")
    assert "install a C++ compiler" in said
    assert said.count("\n") == 1


def test_of_torchs_log_only_errors_are_shown(tmp_path: Path) -> None:
    """Remarks such as that there is no CUDA here are nothing to do about."""
    remark, problem, own = "a remark", "a problem", "our own"
    said = without_a_compiler(tmp_path).stderr
    assert [text in said for text in (remark, problem, own)] == [False, True, True]
    assert len(said.splitlines()) == 2
    asked = without_a_compiler(tmp_path, TORCH_LOGS="inductor").stderr
    assert [text in asked for text in (remark, problem, own)] == [True, True, True]


@pytest.mark.slow
def test_a_compiled_encoder_learns_the_same_under_the_same_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Needs a C++ compiler."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    taggers = []
    for compiles in (False, True):
        torch.manual_seed(0)
        tagger = Tagger("small", 2)
        if compiles:
            compile_encoder(tagger)
        tagger(torch.randn(4, 16000)).square().sum().backward()
        taggers.append(tagger)
    plain, compiled = taggers
    assert list(compiled.state_dict()) == list(plain.state_dict())
    for ours, theirs in zip(plain.parameters(), compiled.parameters(), strict=True):
        assert ours.grad is not None
        torch.testing.assert_close(theirs.grad, ours.grad, rtol=1e-3, atol=1e-4)
