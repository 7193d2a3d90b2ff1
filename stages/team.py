"""The processes that a launcher such as torchrun has started to do one command together."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from stages.errors import SpaError

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

# A pod or a batch job may set some of these for every command; a launcher sets all of them.
_SET_BY_LAUNCHERS = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_PORT")
_LOOK_SECONDS = 0.05


class PeerLostError(SpaError):
    """Another process of the team has ended, or cannot be reached: it or its launcher says why."""

    def __init__(self) -> None:
        super().__init__(
            "another process of this command has stopped or cannot be reached",
            "see what it or its launcher says, then run the same command again",
        )


class Team:
    """Which of the processes this one is, and what the first of them says to the others.

    The process of rank 0 leads: it alone checks, locks, writes and speaks. The others wait until it
    says "go", and do nothing if it ends without.

    Attributes:
        rank: of this process, from 0.
        size: how many there are.
        local_rank: of this process among those of its machine.
    """

    def __init__(self, rank: int = 0, size: int = 1, local_rank: int = 0) -> None:
        """Connect to nobody yet."""
        self.rank, self.size, self.local_rank = rank, size, local_rank
        self._store: Store | None = None

    @classmethod
    def of_environment(cls) -> "Team":
        """The team that the environment tells of; where it tells of none, this process alone."""
        values = [os.environ.get(name, "") for name in _SET_BY_LAUNCHERS]
        if not all(map(str.isdecimal, values)) or not os.environ.get("MASTER_ADDR"):
            return cls()
        rank, size, local_rank, _ = map(int, values)
        return cls(rank, size, local_rank) if rank < size else cls()

    @property
    def follows(self) -> bool:
        """Whether another process leads."""
        return self.rank > 0

    @contextmanager
    def leading(self) -> Iterator[None]:
        """Do what may make use of the others; afterwards tell them that it is over."""
        try:
            yield
        except KeyboardInterrupt:
            if self._store is not None:  # to connect now might take long, and they are stopped too
                self._say("over")
            raise
        except BaseException:
            self._say("over")
            raise
        self._say("over")

    def go(self, text: str) -> None:
        """As the leader: tell the others to begin, and `text`."""
        self._say("go", text)

    def wait_for_go(self) -> str | None:
        """As a follower: the text of the leader's `go`; None: it has nothing to do for the others.

        Raises:
            PeerLostError: the leader has ended without a word.
        """
        while not self._is_said("go"):
            if self._is_said("over"):
                return None
            time.sleep(_LOOK_SECONDS)
        return self.store().get("go").decode()

    def is_over(self, wait_seconds: float) -> bool:
        """Whether the leader has ended by itself, or does within `wait_seconds`."""
        until = time.monotonic() + wait_seconds
        with suppress(PeerLostError):
            while not self._is_said("over"):
                if time.monotonic() > until:
                    return False
                time.sleep(_LOOK_SECONDS)
            return True
        return False

    def assemble(self) -> None:
        """Wait until all processes have come this far. Ctrl-C gets through, as it would not in torch.

        Raises:
            PeerLostError: the leader has ended.
        """
        self._say(f"here/{self.rank}")
        for rank in range(self.size):
            while not self._is_said(f"here/{rank}"):
                if self._is_said("over"):
                    raise PeerLostError
                time.sleep(_LOOK_SECONDS)

    def store(self) -> "Store":
        """The launcher's table of keys and values, which all processes share."""
        if self._store is None:
            from torch.distributed.rendezvous import rendezvous  # torch is heavy

            self._store, _, _ = next(rendezvous("env://"))
        return self._store

    def _say(self, key: str, text: str = "") -> None:
        if self.size == 1:
            return
        from torch.distributed import DistError

        with suppress(DistError):  # nobody is there any more to hear it
            self.store().set(key, text)

    def _is_said(self, key: str) -> bool:
        from torch.distributed import DistError

        try:
            return self.store().check([key])
        except DistError as error:
            raise PeerLostError from error
