"""Worker processes that leave Ctrl-C to their parent."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back in this thread: processes started in here inherit that.

    So a worker is deaf to it while it imports, until it calls `ignore_interrupts`. (Windows has no
    such mask: there a worker that is still importing may print a traceback.)
    """
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # starting it later would let the signal through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore_interrupts() -> None:
    """In a worker: Ctrl-C reaches every process of the terminal, and is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def default_workers() -> int:
    """One a CPU core that this process may use, where the system says which; else one a core."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
