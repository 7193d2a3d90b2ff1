"""What `--model` names: a run, or a file."""

from pathlib import Path

import pytest

from stages.tag.settings import TagSettings


@pytest.mark.parametrize(
    ("model", "is_file"),
    [
        ("main", False),
        ("v1.2", False),
        (None, False),
        ("a.safetensors", True),
        ("runs/main/model", True),
    ],
)
def test_a_file_has_the_ending_or_a_slash(
    model: str | None, is_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main").write_text("a file that only looks like the run")
    settings = TagSettings(files=(Path("x.wav"),), model=model)
    assert settings.names_a_file() == is_file
    assert settings.sources() == (
        (Path("x.wav"), Path(str(model))) if is_file else (Path("x.wav"),)
    )
