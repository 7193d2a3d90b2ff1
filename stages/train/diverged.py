"""A training whose numbers are no longer numbers."""

from pathlib import Path

from stages.errors import SpaError


class DivergedError(SpaError):
    """The loss, or the scores of the validation clips, are not finite."""

    def __init__(self, what: str, last_good: Path | None = None) -> None:
        """Say what is not a number, and where the last good model is, if there is one."""
        kept = f"; the best model before that is {last_good}" if last_good else ""
        another = ", under another --name to keep that model" if last_good else ""
        super().__init__(f"{what}{kept}", f"train with a lower --learning-rate{another}")
