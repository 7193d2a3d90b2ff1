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
from stages.errors import SpaError
from stages.models.tagger import Tagger
from stages.train.compilation import compile_encoder

try:
    compile_encoder(Tagger("small", 2))
except SpaError as error:
    print(error.message, "|", error.next_step)
"""


def test_without_a_compiler_one_line_says_what_is_missing(tmp_path: Path) -> None:
    environment = os.environ | {
        "PATH": str(tmp_path),
        "CXX": str(tmp_path / "none"),
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path),
    }
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert said.startswith("--compile: torch.compile does not work here: ")
    assert "install a C++ compiler" in said
    assert said.count("\n") == 1


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
