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
from stages.models.encoders.deit import (
    PATCH,
    STRIDE,
    WIDTH,
    Deit,
    embedding_parameter,
    layer_names,
    normed_head,
)
from stages.models.encoders.front_ends import CPJKU

_MEL_STEPS, _TIME_STEPS = 12, 99  # patches of 128 mel bands and ten seconds
POSITIONS = ("new_pos_embed", "freq_new_pos_embed", "time_new_pos_embed")


class Passt(Deit, Encoder):
    """A transformer that can see some of the patches while it trains, and all of them after.

    Structured patchout (section 2; `set_patchout`): in training, whole time steps and whole mel steps
    of patches are left out, the same ones for all clips of a batch. Time and frequency have position
    embeddings of their own: in training, a shorter clip takes any run of the time positions, after it
    the first.
    """

    name: ClassVar[str] = "passt"
    front_end: ClassVar[FrontEnd] = CPJKU
    hears_seconds: ClassVar[tuple[float, float]] = (0.16, 10.05)  # 16 to 1005 frames
    embedding_dimensions: ClassVar[int] = WIDTH
    # AST's, the same network: the authors never start from random weights.
    learning_rate: ClassVar[float] = 1e-4
    fine_tuning_rate: ClassVar[float] = 1e-5  # of the authors' ex_esc50.py and ex_fsd50k.py
    layer_names: ClassVar[tuple[tuple[str, ...], ...]] = layer_names("", POSITIONS)
    undecayed_names: ClassVar[tuple[str, ...]] = ("cls_token", "dist_token", *POSITIONS)
    published_head: ClassVar[Mapping[str, str]] = {"head.": ""}
    published_unused: ClassVar[tuple[str, ...]] = ("head_dist.",)

    def __init__(self) -> None:
        """Build with random weights, without patchout."""
        super().__init__()
        self.patchout_time, self.patchout_mel = 0, 0
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

    def set_patchout(self, time: int, mel: int, clip_seconds: float) -> None:
        """Leave out `time` of the columns and `mel` of the 12 rows of patches in training.

        The paper leaves out 40 of the 99 columns of ten seconds, and 4 rows (AudioSet).

        Raises:
            UsageError: windows of `clip_seconds` have no more than that.
        """
        hop_seconds = self.front_end.hop_samples / self.front_end.sample_rate
        columns = (round(clip_seconds / hop_seconds) - PATCH) // STRIDE + 1
        for option, count, steps, what in (
            ("--patchout-time", time, columns, f"columns of patches in {clip_seconds:g} s"),
            ("--patchout-mel", mel, _MEL_STEPS, "rows of patches"),
        ):
            if count >= steps:
                raise UsageError(
                    f"{option} {count} leaves nothing: there are {steps} {what}",
                    f"give {option} below {steps}",
                )
        self.patchout_time, self.patchout_mel = time, mel

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


def leave_out(patches: Tensor, axis: int, count: int) -> Tensor:
    """Drop `count` steps of patches (batch, 768, mel_steps, time_steps) along an axis, by chance.

    The rest, one step at least, stays in order.
    """
    steps = patches.shape[axis]
    kept = max(1, steps - count)
    if kept == steps:
        return patches
    chosen = torch.randperm(steps, device=patches.device)[:kept].sort().values
    return patches.index_select(axis, chosen)
