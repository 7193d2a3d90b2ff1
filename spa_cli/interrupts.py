"""Ctrl-C, and a request to end: raised where Python can handle them, and known again."""

import _thread
import signal
import sys
import threading
import time
from types import FrameType

_SOON_SECONDS = 0.005  # a short command does not end before it hears of it
_IMPORT_SYSTEM = "<frozen importlib."
_OF_DUCKDB = "Query interrupted"


def interrupt(number: int, frame: FrameType | None) -> None:
    """Handle the signal `number`: raise KeyboardInterrupt, but not while a module is imported.

    Libraries in C++ import from there, and torch ends with SIGABRT when that raises. So an import
    ends first.

    Raises:
        KeyboardInterrupt: no module is being imported.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORT_SYSTEM):
            interrupt_again(number)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def comes_of_interrupt(error: BaseException | None) -> bool:
    """Whether it is an interrupt, or what a library that took one for a failure of its own made of it."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        if isinstance(error, RuntimeError) and str(error) == _OF_DUCKDB:
            return True
        error = error.__cause__ or error.__context__
    return False


def interrupt_again(number: int = signal.SIGINT) -> None:
    """Have the main thread receive the signal `number` once more, a moment later."""
    # Not threading.Thread: its locks may be held by what the signal interrupted.
    _thread.start_new_thread(_send, (number,))


def _send(number: int) -> None:
    time.sleep(_SOON_SECONDS)
    main = threading.main_thread().ident
    if sys.platform == "win32" or main is None:
        _thread.interrupt_main(signal.Signals(number))
    else:
        signal.pthread_kill(main, number)  # also ends what the main thread waits for
