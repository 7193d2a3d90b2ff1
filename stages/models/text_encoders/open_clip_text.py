"""The text tower of a CLIP model that open_clip knows.

Only the text tower is built and loaded; the images' half of a checkpoint is not used.
Radford et al., "Learning transferable visual models from natural language supervision",
arXiv 2103.00020, section 2.4.
"""

import hashlib
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray

from stages.errors import UsageError
from stages.models.public_weights.weights_file import read_weights
from stages.models.text_encoders.open_clip_checkpoint import load_text_tower
from stages.models.text_encoders.open_clip_hub import fetch_weights

# open_clip builds both towers; this is the smallest image tower that it accepts, never loaded.
_NO_IMAGES = {"layers": 1, "width": 8, "head_width": 8, "patch_size": 1, "image_size": 1}
# Where a configuration says that its text half is not CLIP's own.
_FOREIGN_TEXT = ("hf_model_name", "hf_tokenizer_name")


class OpenClipText:
    """A text tower of open_clip with CLIP's own tokenizer, as a `TextEncoder`."""

    def __init__(
        self,
        identity: str,
        weights_sha256: str,
        tower: torch.nn.Module,
        tokenizer: Callable[[list[str]], torch.Tensor],
    ) -> None:
        self.identity = identity
        self.weights_sha256 = weights_sha256
        self._tower = tower
        self._tokenizer = tokenizer

    @torch.inference_mode()
    def encode(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Embed `prompts` as one batch: `(prompts, dimensions)`, float32, rows of unit length."""
        features = self._tower(self._tokenizer(list(prompts)))
        embeddings: NDArray[np.float32] = torch.nn.functional.normalize(features, dim=-1).numpy()
        return embeddings


def load_open_clip(name: str, say: Callable[[str], None]) -> OpenClipText:
    """Load the text tower of `MODEL/PRETRAINED`, a tag of open_clip, or `MODEL/FILE`, a checkpoint.

    Raises:
        UsageError: no such model, tag or file, or a model whose text half is not CLIP's own.
        ArtifactError: the checkpoint cannot be read, or does not fit the model.
        SpaError: the weights of the tag could not be downloaded.
    """
    model, _, weights = name.partition("/")
    config = _model_config(model)
    quick_gelu = config.get("quick_gelu", False)
    file = Path(weights).expanduser()
    if open_clip.is_pretrained_cfg(model, weights):
        pretrained = open_clip.get_pretrained_cfg(model, weights)
        # The weights were trained with one activation, whatever the model's name says.
        quick_gelu = pretrained.get("quick_gelu", quick_gelu)
        identity, file = name, fetch_weights(name, pretrained.get("hf_hub", ""), say)
    elif weights and file.is_file():
        identity = f"{model}/{file.name}"
    else:
        raise _no_weights(model, weights)
    tower = _empty_text_tower(config, quick_gelu=quick_gelu)
    load_text_tower(tower, read_weights(file), file, model)
    with file.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    tokenizer = open_clip.SimpleTokenizer(context_length=tower.context_length)
    return OpenClipText(f"open_clip:{identity}", sha256, tower, tokenizer)


def _model_config(model: str) -> dict[str, Any]:
    """open_clip's configuration of `model`, having checked that this module can use it."""
    config: dict[str, Any] | None = None
    if model in open_clip.list_models():  # else a name like hf-hub:... would reach for the network
        config = open_clip.get_model_config(model)
    if config is None:
        close = get_close_matches(model, open_clip.list_models(), n=3)
        raise UsageError(
            f"open_clip has no model '{model}'",
            f"close to it: {', '.join(close)}" if close else "for example ViT-B-32",
        )
    if "multimodal_cfg" in config or any(key in config["text_cfg"] for key in _FOREIGN_TEXT):
        raise UsageError(
            f"the text half of open_clip's {model} is not CLIP's own and cannot be used here",
            "choose a model such as ViT-B-32, RN50, EVA02-L-14 or MobileCLIP-S1",
        )
    return config


def _empty_text_tower(config: dict[str, Any], *, quick_gelu: bool) -> Any:
    clip = open_clip.CustomTextCLIP(
        config["embed_dim"], _NO_IMAGES, config["text_cfg"], quick_gelu=quick_gelu
    )
    return clip.text.eval()


def _no_weights(model: str, weights: str) -> UsageError:
    tags = open_clip.list_pretrained_tags_by_model(model)
    close = get_close_matches(weights, tags, n=3) or tags[:3]
    tag = f"open_clip:{model}/PRETRAINED ({', '.join(close)}, say) or " if close else ""
    return UsageError(
        f"open_clip has no weights '{weights}' for {model}, and there is no such file",
        f"use {tag}open_clip:{model}/FILE",
    )
