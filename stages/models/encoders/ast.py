"""AST, the audio spectrogram transformer (Gong et al., Interspeech 2021, arXiv 2104.01778, section 2).

The published model: base, distilled, patches of 16 x 16 with stride 10. Parameter names are those of
its checkpoints (without the `module.` of data parallelism).
"""

import math
from collections.abc import Mapping
from typing import ClassVar

import torch.nn.functional as F  # noqa: N812 - torch's own custom
from torch import Tensor, nn

from stages.audio.log_mel import FrontEnd
from stages.models.encoders.base import Encoder
from stages.models.encoders.deit import WIDTH, Deit, embedding_parameter, layer_names, normed_head
from stages.models.encoders.front_ends import KALDI

_MEL_STEPS, _TIME_STEPS = 12, 101  # patches of 128 mel bands and 1024 frames
_FRAME_STEP = 128


class Ast(Encoder):
    """A transformer of 1212 patches, for ten seconds; shorter and longer spectrograms fit too."""

    name: ClassVar[str] = "ast"
    front_end: ClassVar[FrontEnd] = KALDI.model_copy(
        # The divisor is twice the standard deviation.
        update={"frames": 1024, "shift": -4.2677393, "divisor": 9.1379948}
    )
    hears_seconds: ClassVar[tuple[float, float]] = (0.025, math.inf)  # one frame
    embedding_dimensions: ClassVar[int] = WIDTH
    # The authors' egs/esc50/run_esc.sh: 1e-5 from AudioSet's weights, 1e-4 without.
    learning_rate: ClassVar[float] = 1e-4
    fine_tuning_rate: ClassVar[float] = 1e-5
    layer_names: ClassVar[tuple[tuple[str, ...], ...]] = layer_names("v.", ("pos_embed",))
    undecayed_names: ClassVar[tuple[str, ...]] = ("cls_token", "dist_token", "pos_embed")
    published_head: ClassVar[Mapping[str, str]] = {"mlp_head.": ""}
    published_unused: ClassVar[tuple[str, ...]] = ("v.head.", "v.head_dist.")

    def __init__(self) -> None:
        """Build with random weights."""
        super().__init__()
        self.v = AstTransformer()

    @classmethod
    def front_end_for(cls, clip_seconds: float) -> FrontEnd:
        """Return the front end for clips of this length: frames to the next multiple of 128.

        So the authors' recipes have it: 1024 for the 10 s of AudioSet, 512 for the 5 s of ESC-50, 128
        for the 1 s of Speech Commands.
        """
        front_end = cls.front_end
        samples = round(clip_seconds * front_end.sample_rate)
        frames = 1 + (samples - (front_end.window_samples or 0)) // front_end.hop_samples
        padded = _FRAME_STEP * max(1, math.ceil(frames / _FRAME_STEP))
        return front_end.model_copy(update={"frames": padded})

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return the embedding (batch, 768) of log_mel (batch, frames, 128), frames at least 16."""
        embedding: Tensor = self.v(log_mel)
        return embedding

    def make_head(self, labels: int) -> nn.Module:
        """Build the published head: layer norm and a linear layer."""
        return normed_head(labels)


class AstTransformer(Deit):
    """DeiT with one position embedding for each of the two tokens and each patch of 1024 frames."""

    def __init__(self) -> None:
        """Build with random weights."""
        super().__init__()
        self.pos_embed = embedding_parameter(1, 2 + _MEL_STEPS * _TIME_STEPS, WIDTH)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return the embedding (batch, 768) of log_mel (batch, frames, 128)."""
        patches = self.patches(log_mel)
        positions = self.patch_positions(patches.shape[3])
        return self.encode(patches + positions, self.pos_embed[:, :2])

    def patch_positions(self, time_steps: int) -> Tensor:
        """Return position embeddings (1, 768, 12, time_steps).

        For fewer steps than 101, those in the middle; for more, interpolated (section 2.2), as the
        authors adapt their AudioSet model to other lengths.
        """
        positions = self.pos_embed[:, 2:].mT.reshape(1, WIDTH, _MEL_STEPS, _TIME_STEPS)
        if time_steps > _TIME_STEPS:
            size = (_MEL_STEPS, time_steps)
            longer: Tensor = F.interpolate(positions, size=size, mode="bilinear")
            return longer
        first = _TIME_STEPS // 2 - time_steps // 2
        return positions[..., first : first + time_steps]
