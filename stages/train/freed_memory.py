"""Keep freed memory for the next step instead of giving it back to the system."""

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of mallopt(3)
_NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Have the C library's allocator reuse large blocks; nothing where it is another than glibc.

    Each step on a CPU frees tensors of many megabytes and asks for them again. Blocks of that size
    glibc gives back to the system at once, which then fills every page with zeros anew: up to a third
    of the time of a step of `small`.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # musl, for one, has none
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, _NEVER)
