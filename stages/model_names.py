"""What `--model` names: a file, the short name of a published checkpoint, or a run."""

from pathlib import Path

from stages.models.plain_file import is_there

MODEL_SUFFIXES = (".safetensors", ".pt", ".pth", ".ckpt")


def names_published(model: str) -> bool:
    """Whether it is the short name of a published checkpoint: no run's name has a colon."""
    return ":" in model and not is_there(Path(model))


def names_a_file(model: str) -> bool:
    """Whether it is a path to a file; otherwise, with no colon, it is a run's name, without slash."""
    is_path = model.endswith(MODEL_SUFFIXES) or Path(model).name != model
    return is_path and not names_published(model)
