"""Several processes that train together over torch.distributed: one a GPU, or on CPUs."""

import gc
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as dist
import torch.distributed.nn.functional
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from stages.errors import UsageError
from stages.models.devices import choose_device
from stages.models.exact_batch_norm import with_exact_norms
from stages.team import PeerLostError, Team
from stages.train.plan import Plan
from stages.train.world import World

# torch.distributed.nn.functional is imported above since torch does so otherwise with the first module
# that is wrapped, and then the defaults of its arguments hold the process group to the end.

# A process may wait for another that downloads weights, or reads clips from a slow disk.
_LONGEST_WAIT = timedelta(minutes=30)


class Distributed(World):
    """This process among those of torch's default process group, which takes tensors of the CPU
    (gloo), and of the GPU where there is one (NCCL).
    """

    def __init__(self, rank: int, size: int) -> None:
        """Be the one of `rank` among `size`."""
        self.rank, self.size = rank, size

    def wrapped(self, module: nn.Module) -> nn.Module:
        """Return the module whose gradients are averaged over the processes.

        Its batch norms are replaced, in place, by ones over the clips of all processes; parameters
        and names stay. The first process's weights become everybody's.
        """
        if any(parameter.is_cuda for parameter in module.parameters()):
            convert = nn.SyncBatchNorm.convert_sync_batchnorm  # there is none for CPUs
            module = convert(module)  # type: ignore[no-untyped-call]  # torch has no type here
        module = with_exact_norms(module, self.summed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # newer torch has another name for it
            # Statistics are the same everywhere: there is nothing to send before each batch.
            return DistributedDataParallel(module, broadcast_buffers=False)

    def gradients_stay(self, module: nn.Module) -> AbstractContextManager[object]:
        """Accumulate gradients of a `wrapped` module without averaging them yet."""
        if isinstance(module, DistributedDataParallel):
            return module.no_sync()
        return nullcontext()

    def gathered(self, own: Tensor, batch: int) -> Tensor:
        """Return rows (batch, ...) of all processes from this process's own rows (part, ...).

        Gradients flow into the own rows alone.
        """
        sizes = [len(part) for part in np.array_split(np.arange(batch), self.size)]
        parts = _all_rows(own.detach(), sizes)
        parts[self.rank] = own
        return torch.cat(parts)

    def summed(self, own: Tensor) -> Tensor:
        """Return the sum of the tensors `own` of all processes."""
        total = own.clone()
        dist.all_reduce(total)
        return total

    def from_writer(self, data: bytes | None) -> bytes | None:
        """Return what the process of rank 0 gives; what the others give is not looked at."""
        size = torch.tensor(-1 if data is None else len(data))
        dist.broadcast(size, src=0)
        if size < 0:
            return None
        sent = torch.zeros(int(size), dtype=torch.uint8)
        if self.rank == 0 and data:
            sent = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        dist.broadcast(sent, src=0)
        return sent.numpy().tobytes()

    def gathered_array(self, own: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the rows of all processes, in order, from this process's own rows."""
        counts = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
        dist.all_gather(counts, torch.tensor([len(own)]))
        parts = _all_rows(torch.from_numpy(own), [int(count) for count in counts])
        return torch.cat(parts).numpy()


def _all_rows(own: Tensor, sizes: list[int]) -> list[Tensor]:
    """The rows of each process, of which there are `sizes`. On the way all parts are equally long."""
    sent = own.new_zeros(max(sizes), *own.shape[1:])
    sent[: len(own)] = own
    parts = [torch.empty_like(sent) for _ in sizes]
    dist.all_gather(parts, sent)
    return [part[:size] for part, size in zip(parts, sizes, strict=True)]


@contextmanager
def joined_world(team: Team, device: str) -> Iterator[World]:
    """Yield the world of this `team`, computing on `device` (auto, cpu or cuda).

    On CUDA each process takes the GPU of its local rank. Nothing that was `wrapped` may be in use when
    the world is left: it would keep threads of gloo alive, and one that lets go of a tensor while
    Python ends aborts the process (pytorch/pytorch issue 190489).

    Raises:
        UsageError: the machine has fewer GPUs than processes.
        PeerLostError: another process has stopped.
    """
    if team.size == 1:
        yield World()
        return
    on_cuda = choose_device(device).type == "cuda"
    if on_cuda:
        _take_gpu(team.local_rank)
    team.assemble()
    try:
        backend = "cpu:gloo,cuda:nccl" if on_cuda else "gloo"
        dist.init_process_group(
            backend,
            timeout=_LONGEST_WAIT,
            world_size=team.size,
            rank=team.rank,
            store=team.store(),
        )
        yield Distributed(team.rank, team.size)
        gc.collect()  # what was wrapped and refers to itself
        dist.destroy_process_group()
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo" in str(error):
            raise PeerLostError from error
        raise


def refuse_fewer_clips_than_processes(plan: Plan, world: World) -> None:
    """Check that every process has a clip of every batch.

    Raises:
        UsageError: one would have none.
    """
    fewest = plan.clips_per_epoch // plan.batches
    if fewest < world.size:
        raise UsageError(
            f"the {plan.clips_per_epoch} clips of an epoch make {plan.batches} batches, some of only"
            f" {fewest}: fewer than the {world.size} processes",
            "train with a larger --batch-size, which is that of all processes, or with fewer processes",
        )


def _take_gpu(local_rank: int) -> None:
    found = torch.cuda.device_count()
    if local_rank >= found:
        raise UsageError(
            f"process {local_rank + 1} of this machine has no GPU: there are {found}",
            f"start at most {found} here, with torchrun --nproc-per-node {found}",
        )
    torch.cuda.set_device(local_rank)
