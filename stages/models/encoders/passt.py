"""PaSST, the patchout transformer (Koutini et al., Interspeech 2022, arXiv 2110.05069).

The published model: PaSST-S, patches of 16 x 16 with stride 10. Parameter names are those of its
checkpoints.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from stages.audio.log_mel import FrontEnd
from stages.errors import UsageError
from stages.models.encoders.base import Encoder
from stages.models.encoders.deit import WIDTH, Deit, embedding_parameter, normed_head
from stages.models.encoders.front_ends import CPJKU

_MEL_STEPS, _TIME_STEPS = 12, 99  # patches of 128 mel bands and ten seconds


class Passt(Deit, Encoder):
    """A transformer that sees some of the patches while it trains, and all of them after.

    Structured patchout (section 2): in training, whole time steps and whole mel steps of patches are
    left out, the same ones for all clips of a batch. Time and frequency have position embeddings of
    their own: in training, a shorter clip takes any run of the time positions, after it the first.
    """

    front_end: ClassVar[FrontEnd] = CPJKU
    embedding_dimensions: ClassVar[int] = WIDTH
    published_head: ClassVar[Mapping[str, str]] = {"head.": ""}
    published_unused: ClassVar[tuple[str, ...]] = ("head_dist.",)

    def __init__(self, patchout_time: float = 0.4, patchout_mel: float = 1 / 3) -> None:
        """Build with random weights.

        Args:
            patchout_time: share of the 99 time steps that are left out in training, from 0 to below
                1; the default is the paper's 40 of AudioSet.
            patchout_mel: share of the 12 mel steps; the default is the paper's 4.
        """
        for name, share in (("time", patchout_time), ("mel", patchout_mel)):
            if not 0 <= share < 1:
                raise UsageError(f"patchout of {name} is {share}", "give a share from 0 to below 1")
        super().__init__()
        self.patchout_time, self.patchout_mel = patchout_time, patchout_mel
        self.new_pos_embed = embedding_parameter(1, 2, WIDTH)
        self.freq_new_pos_embed = embedding_parameter(1, WIDTH, _MEL_STEPS, 1)
        self.time_new_pos_embed = embedding_parameter(1, WIDTH, 1, _TIME_STEPS)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return the embedding (batch, 768) of log_mel (batch, frames, 128), frames 16 to 1005.

        Raises:
            UsageError: more or fewer frames.
        """
        patches = self.patches(log_mel)
        patches = patches + self.freq_new_pos_embed + self._time_positions(patches.shape[3])
        if self.training:
            patches = leave_out(patches, 3, self.patchout_time)
            patches = leave_out(patches, 2, self.patchout_mel)
        return self.encode(patches, self.new_pos_embed)

    def make_head(self, labels: int) -> nn.Module:
        """Build the published head: layer norm and a linear layer."""
        return normed_head(labels)

    def _time_positions(self, time_steps: int) -> Tensor:
        """Position embeddings (1, 768, 1, time_steps)."""
        spare = _TIME_STEPS - time_steps
        if spare < 0:
            raise UsageError(
                f"encoder 'passt' has positions for {_TIME_STEPS} steps in time, the clip has {time_steps}",
                "use clips of 10 s or shorter",
            )
        first = int(torch.randint(1 + spare, ())) if self.training and spare else 0
        return self.time_new_pos_embed[..., first : first + time_steps]


def leave_out(patches: Tensor, axis: int, share: float) -> Tensor:
    """Drop a share of the steps of patches (batch, 768, mel_steps, time_steps) along an axis, by chance.

    The rest, one step at least, stays in order.
    """
    steps = patches.shape[axis]
    kept = max(1, steps - round(share * steps))
    if kept == steps:
        return patches
    chosen = torch.randperm(steps, device=patches.device)[:kept].sort().values
    return patches.index_select(axis, chosen)
