"""Which of many names are there more than once, without holding the names."""

import hashlib
from array import array
from collections.abc import Iterable

import numpy as np


class Repeats:
    """The names that occur more than once in an iterable; `name in repeats` tells.

    It takes 8 bytes a name while it is made, then some for each repeated name. A name is known by
    a hash of 64 bits: two of 2 million names share one with a probability of 1e-7, and then count
    as repeated.
    """

    def __init__(self, names: Iterable[str]) -> None:
        hashes = np.frombuffer(array("Q", map(_hash, names)), np.uint64)
        hashes = np.sort(hashes)
        self._repeated = frozenset(hashes[1:][hashes[1:] == hashes[:-1]].tolist())

    def __contains__(self, name: str) -> bool:
        """Whether `name` was there more than once."""
        return bool(self._repeated) and _hash(name) in self._repeated


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
