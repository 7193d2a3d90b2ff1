"""Whether a path that somebody gives is a file that can be read to its end."""

from pathlib import Path
from stat import S_ISDIR, S_ISREG

from stages.errors import ArtifactError


def is_there(path: Path) -> bool:
    """Whether there is something at `path`; a name too long for the system is nowhere."""
    try:
        return path.exists()
    except OSError:
        return False


def check_plain_file(path: Path, next_step: str) -> None:
    """Refuse what is no file of its own: a pipe or a device may never end.

    Raises:
        ArtifactError: `path` is not there, cannot be looked at, or is a folder, a pipe or a device.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise ArtifactError(f"{path} not found", next_step) from error
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror or error}", next_step) from error
    if S_ISDIR(mode):
        raise ArtifactError(f"{path} is a folder, not a file", next_step)
    if not S_ISREG(mode):
        raise ArtifactError(f"{path} is a pipe or a device, not a file", next_step)
