"""HTS-AT (Chen et al., ICASSP 2022, arXiv 2202.00874, section 2), with the sizes of its AudioSet model.

A Swin transformer (Liu et al., ICCV 2021, arXiv 2103.14030), built of timm's parts, looks at the log-mel
as a square picture; a convolution over its last tokens gives logits for every 32nd of the clip.
Parameter names are those of the published checkpoints, without the "sed_model." before each.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own custom
from torch import Tensor, nn

from stages.audio.log_mel import FrontEnd
from stages.errors import UsageError
from stages.models.encoders.base import Encoder
from stages.models.encoders.front_ends import PANNS

FRAMES = 1024  # what every clip is stretched to
CHUNKS = 4  # of FRAMES / CHUNKS frames each, one below the other in the picture
PICTURE = 256  # pixels a side: FRAMES / CHUNKS, and CHUNKS times the mel bands
PATCH = 4  # pixels a side
WINDOW = 8  # patches a side, within which attention looks
WIDTH = 96  # of the first stage; every later one is twice as wide, at half the resolution
DEPTHS = (2, 2, 6, 2)  # blocks in each stage
HEADS = (4, 8, 16, 32)
DROP_PATH = 0.1  # share of clips that skip the last block while training; none skips the first


def _stage(number: int) -> nn.Sequential:
    """Blocks of windowed attention, every second one with shifted windows; then patches merge in fours.

    Maps (batch, side, side, width) to half the sides and twice the width; the last stage merges none.
    """
    # timm takes seconds to import: only those wait who build this encoder.
    from timm.models.swin_transformer import PatchMerging, SwinTransformerBlock

    side, width = PICTURE // PATCH // 2**number, WIDTH * 2**number
    first = sum(DEPTHS[:number])
    drop_paths = torch.linspace(0, DROP_PATH, sum(DEPTHS), device="cpu").tolist()
    blocks = nn.Sequential(
        *(
            SwinTransformerBlock(
                width,
                (side, side),
                num_heads=HEADS[number],
                window_size=WINDOW,
                shift_size=WINDOW // 2 if block % 2 else 0,
                drop_path=drop_paths[first + block],
            )
            for block in range(DEPTHS[number])
        )
    )
    merge = PatchMerging(width) if number + 1 < len(DEPTHS) else nn.Identity()
    return nn.Sequential(OrderedDict(blocks=blocks, downsample=merge))


def _layer_names() -> tuple[tuple[str, ...], ...]:
    """Name the layers: patches; each stage's blocks, the last with the merging or norm behind it."""
    layers: list[tuple[str, ...]] = [("bn0.", "patch_embed.")]
    for stage, depth in enumerate(DEPTHS):
        layers += [(f"layers.{stage}.blocks.{block}.",) for block in range(depth)]
        layers[-1] += (f"layers.{stage}.downsample.",)
    layers[-1] += ("norm.",)
    return tuple(layers)


def _start(module: nn.Module) -> None:
    """Draw the weights of a linear layer as published: normal, sigma 0.02; biases are zero."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class TokenSemanticHead(nn.Module):
    """A convolution over the tokens of the last stage: three steps of time, all of frequency."""

    def __init__(self, channels: int, frequencies: int, labels: int) -> None:
        """Build with random weights."""
        super().__init__()
        self.tscam_conv = nn.Conv2d(channels, labels, (frequencies, 3), padding=(0, 1))

    def frame_logits(self, features: Tensor) -> Tensor:
        """Return logits (batch, labels, steps) of features (batch, channels, frequencies, steps).

        The steps share the clip's duration equally.
        """
        logits: Tensor = self.tscam_conv(features)
        return logits.squeeze(2)

    def forward(self, features: Tensor) -> Tensor:
        """Return logits (batch, labels): means over the steps, before the sigmoid."""
        return self.frame_logits(features).mean(dim=2)


class Htsat(Encoder):
    """Clip, stretched to 1024 frames, to a picture of four chunks, to tokens of 2 frequencies x 32 steps.

    Whatever its length, a clip under 10.24 s is stretched to just that: one of 2 s is heard as if it were
    five times as slow. So does the published model's ordinary forward pass, while training and after it.
    (Asked to, that model repeats a short clip instead: other numbers, except at ten seconds.)
    """

    name: ClassVar[str] = "htsat"
    front_end: ClassVar[FrontEnd] = PANNS
    hears_seconds: ClassVar[tuple[float, float]] = (0.02, 10.23)  # to 1024 frames
    embedding_dimensions: ClassVar[int] = 768
    # The authors' config.py: 1e-3 in batches of 128, "1e-4 also workable"; batches here are of 32.
    learning_rate: ClassVar[float] = 1e-4
    layer_names: ClassVar[tuple[tuple[str, ...], ...]] = _layer_names()
    undecayed_names: ClassVar[tuple[str, ...]] = ("relative_position_bias_table",)
    published_head: ClassVar[Mapping[str, str]] = {"tscam_conv.": "tscam_conv."}
    published_unused: ClassVar[tuple[str, ...]] = (
        "spectrogram_extractor.",
        "logmel_extractor.",
        "head.",  # for another form of the head, which the published model does not use
        *(
            f"layers.{stage}.blocks.{block}.{constant}"
            for stage, depth in enumerate(DEPTHS)
            for block in range(depth)
            for constant in ("attn_mask", "attn.relative_position_index")
        ),
    )

    def __init__(self) -> None:
        """Build with random weights."""
        from timm.layers.patch_embed import PatchEmbed

        super().__init__()
        self.bn0 = nn.BatchNorm2d(self.front_end.mel_bands)
        self.patch_embed = PatchEmbed(
            PICTURE, PATCH, in_chans=1, embed_dim=WIDTH, norm_layer=nn.LayerNorm, output_fmt="NHWC"
        )
        self.layers = nn.Sequential(*(_stage(number) for number in range(len(DEPTHS))))
        self.norm = nn.LayerNorm(self.embedding_dimensions)
        self.layers.apply(_start)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Return features (batch, 768, 2 frequencies, 32 steps) of log_mel (batch, frames, 64).

        Frames are 1 to 1024, any number.
        """
        x = self.bn0(log_mel.unsqueeze(1).transpose(1, 3)).transpose(1, 3)
        tokens: Tensor = self.norm(self.layers(self.patch_embed(picture(x))))
        batch, rows, steps, channels = tokens.shape
        tokens = tokens.reshape(batch, CHUNKS, rows // CHUNKS, steps, channels)
        return tokens.permute(0, 4, 2, 1, 3).reshape(
            batch, channels, rows // CHUNKS, CHUNKS * steps
        )

    def embedding(self, features: Tensor) -> Tensor:
        """Return the mean (batch, 768) of features (batch, 768, frequencies, steps)."""
        return features.mean(dim=(2, 3))

    def make_head(self, labels: int) -> nn.Module:
        """Build the token-semantic head."""
        side = PICTURE // PATCH // 2 ** (len(DEPTHS) - 1)
        return TokenSemanticHead(self.embedding_dimensions, side // CHUNKS, labels)


def picture(log_mel: Tensor) -> Tensor:
    """Return pictures (batch, 1, 256, 256) of log_mel (batch, 1, frames, 64).

    Frames become 1024 by bicubic interpolation, first and last staying in place. Row chunk * 64 + band
    and column i hold that band's frame chunk * 256 + i.
    """
    batch, _, frames, bands = log_mel.shape
    if frames > FRAMES:
        raise UsageError(
            f"htsat hears at most {FRAMES} frames at once, which is under 10.24 s; this clip has {frames}",
            "train it with a shorter --clip-seconds: 10 is what it was made for",
        )
    stretched = F.interpolate(log_mel, (FRAMES, bands), mode="bicubic", align_corners=True)
    chunks = stretched.reshape(batch, CHUNKS, PICTURE, bands)
    return chunks.transpose(2, 3).reshape(batch, 1, PICTURE, PICTURE)
