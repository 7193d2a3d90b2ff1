"""What can go wrong, in words for the person at the keyboard.

Every error carries the message (with the value and the file it is about) and the next step.
`spa_cli` alone turns them into lines on stderr and exit codes.
"""

# A note (`BaseException.add_note`) on whatever stopped a run whose finished work can be gone on with.
WORK_KEPT = "what is done so far is kept"


class SpaError(Exception):
    """A run that failed: exit code 1.

    `message` names the value received and the file; `next_step` says what to do about it.
    """

    exit_code = 1

    def __init__(self, message: str, next_step: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step


class UsageError(SpaError):
    """The command was called wrongly (an unknown name, a path of the wrong kind): exit code 2."""

    exit_code = 2


class MissingInputError(SpaError):
    """A stage was run before the artifact that it reads exists."""


class ArtifactError(SpaError):
    """An artifact or another file given by the user is not what it should be."""


class UnusableWorkError(ArtifactError):
    """What a stopped run has left cannot be gone on from."""


class DiskFullError(SpaError):
    """Nothing more can be written: a full disk, a quota, a limit on the size of files."""


class AudioError(SpaError):
    """An audio file that cannot be read. `code` is one of the reject codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type["AudioError"], tuple[str, str]]:
        """Survive the trip from a worker process: exceptions are pickled by their arguments."""
        return type(self), (self.code, self.message)
