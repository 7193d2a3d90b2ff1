"""The distilled vision transformer under AST and PaSST (Touvron et al., ICML 2021, arXiv 2012.12877).

DeiT base, of patches of a spectrogram in place of a picture. Parameter names are those of timm, which
the published checkpoints share.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from stages.errors import UsageError

WIDTH = 768
PATCH, STRIDE = 16, 10  # in frames and in mel bands
BLOCKS = 12


class Deit(nn.Module):
    """Patches that overlap, two tokens of their own, twelve blocks, the mean of the two tokens.

    Where a patch lies in time and frequency is for the model above to say. There is no dropout and no
    stochastic depth: AST and PaSST were published without.
    """

    def __init__(self) -> None:
        """Truncated normal weights, as published; the patches' projection is torch's default."""
        from timm.models.vision_transformer import Block  # seconds, paid only where it is used

        super().__init__()
        self.cls_token = embedding_parameter(1, 1, WIDTH)
        self.dist_token = embedding_parameter(1, 1, WIDTH)
        projection = nn.Conv2d(1, WIDTH, PATCH, STRIDE)
        self.patch_embed = nn.Sequential(OrderedDict(proj=projection))
        self.blocks = nn.Sequential(
            *(
                Block(WIDTH, num_heads=12, qkv_bias=True, norm_layer=nn.LayerNorm)
                for _ in range(BLOCKS)
            )
        )
        self.norm = nn.LayerNorm(WIDTH)
        for module in self.modules():
            if isinstance(module, nn.LayerNorm):
                module.eps = 1e-6
            elif isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def patches(self, log_mel: Tensor) -> Tensor:
        """Return patches (batch, 768, mel_steps, time_steps) of log_mel (batch, frames, mel_bands).

        Raises:
            UsageError: fewer frames than a patch has.
        """
        frames = log_mel.shape[1]
        if frames < PATCH:
            raise UsageError(
                f"a spectrogram of {frames} frames is shorter than a patch of {PATCH}",
                "use clips of 0.2 s or longer",
            )
        patches: Tensor = self.patch_embed(log_mel.transpose(1, 2).unsqueeze(1))
        return patches

    def encode(self, patches: Tensor, token_positions: Tensor) -> Tensor:
        """Return embeddings (batch, 768), float32 under autocast too.

        Args:
            patches: (batch, 768, mel_steps, time_steps), position embeddings added.
            token_positions: (1, 2, 768), for the class token and the distillation token.
        """
        tokens = torch.cat((self.cls_token, self.dist_token), dim=1) + token_positions
        sequence = patches.flatten(2).transpose(1, 2)
        sequence = torch.cat((tokens.expand(len(patches), -1, -1), sequence), dim=1)
        encoded: Tensor = self.norm(self.blocks(sequence))
        return encoded[:, :2].mean(dim=1)


def embedding_parameter(*shape: int) -> nn.Parameter:
    """Build a token or position embedding: truncated normal of standard deviation 0.02."""
    return nn.Parameter(nn.init.trunc_normal_(torch.empty(shape), std=0.02))


def normed_head(labels: int) -> nn.Sequential:
    """Build the head of both: layer norm (epsilon 1e-5 here, as published) and a linear layer."""
    return nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, labels))


def layer_names(prefix: str, positions: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Name the layers: patches, tokens and `positions`; the blocks, the last with the norm behind it."""
    first = ("patch_embed.", "cls_token", "dist_token", *positions)
    blocks = [(f"blocks.{number}.",) for number in range(BLOCKS - 1)]
    layers = (first, *blocks, (f"blocks.{BLOCKS - 1}.", "norm."))
    return tuple(tuple(prefix + beginning for beginning in layer) for layer in layers)
