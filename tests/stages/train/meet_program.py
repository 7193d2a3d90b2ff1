"""What a process of a training over gloo finds: run as `meet_program.py FOLDER RANK SIZE`."""

import sys

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from stages.models.exact_batch_norm import of_one_process, with_exact_norms
from stages.train.distributed import Distributed
from stages.train.world import World

ROWS = 7  # of three processes parts of 3, 2 and 2


class Net(nn.Module):
    """Has a batch norm, and gives something beside None."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.norm = nn.Linear(4, 6), nn.BatchNorm1d(6)
        self.last, self.frozen = nn.Linear(6, 2), nn.Linear(4, 2).requires_grad_(False)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        return self.last(self.norm(self.first(x)).tanh()) + self.frozen(x), None


def part_of(world: World) -> dict[str, torch.Tensor | bytes | None]:
    """What a process finds: two batches' gradients in one, and what it hears of the others."""
    net = Net()
    if world.rank:
        nn.init.zeros_(net.first.weight)  # the first process's weights count
    module = world.wrapped(net) if world.size > 1 else with_exact_norms(net, of_one_process)
    for batch in range(2):
        x = torch.randn(ROWS, 4, generator=torch.Generator().manual_seed(batch)) * 3 + 20
        own = world.part(ROWS)
        if batch == 0:
            with world.gradients_stay(module):
                _backward(world, module, x[own])
        else:
            _backward(world, module, x[own])
    few = np.full((min(world.rank, 1), 2), world.rank, dtype=np.float32)  # the first has none
    found: dict[str, torch.Tensor | bytes | None] = {
        name: p.grad for name, p in net.named_parameters() if p.requires_grad
    }
    found |= dict(net.named_buffers())
    found["gathered"] = torch.from_numpy(world.gathered_array(few))
    found["word"] = world.from_writer(b"word" if world.rank == 0 else b"another")
    found["empty"] = world.from_writer(b"" if world.rank == 0 else None)
    found["nothing"] = world.from_writer(None if world.rank == 0 else b"?")
    return found


def _backward(world: World, module: nn.Module, own: torch.Tensor) -> None:
    logits, _ = module(own)
    whole = world.gathered(logits, ROWS)
    # No mean over clips: each clip's loss depends on the others.
    loss = (whole.softmax(0) ** 2).sum() + whole.square().mean()
    (loss * world.size).backward()


def main(folder: str, rank: int, size: int) -> None:
    torch.set_num_threads(1)
    if size == 1:
        torch.save(part_of(World()), f"{folder}/alone.pt")
        return
    dist.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=size)
    torch.save(part_of(Distributed(rank, size)), f"{folder}/{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
