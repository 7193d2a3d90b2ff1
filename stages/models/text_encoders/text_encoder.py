"""What a text encoder is, and how one is found by the name that the user gives."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stages.errors import UsageError

MINILM = "minilm"
OPEN_CLIP = "open_clip"


class TextEncoder(Protocol):
    """A frozen model that turns texts into points of one space. Runs on the CPU."""

    @property
    def identity(self) -> str:
        """Name of the model, the same on every machine."""

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the file that the weights came from, in hex."""

    def encode(self, prompts: Sequence[str]) -> NDArray[np.float32]:
        """Embed `prompts`, as one batch, in a space where the cosine says how alike texts are.

        A prompt longer than the model's context is cut at its end, as the model's authors do.

        Returns:
            `(prompts, dimensions)`, float32, rows of unit length.
        """


def load_text_encoder(name: str, say: Callable[[str], None]) -> TextEncoder:
    """Load the text encoder called `name`: `minilm` or `open_clip:MODEL/PRETRAINED-OR-FILE`.

    `say` is given one line before anything is downloaded; only `open_clip` with a pretrained tag
    whose weights are not on this machine yet downloads.

    Raises:
        UsageError: no such text encoder.
        SpaError: its package, or its weights, are missing or not what they should be.
    """
    kind, _, rest = name.partition(":")
    if name == MINILM:
        from stages.models.text_encoders.minilm import load_minilm

        return load_minilm()
    if kind == OPEN_CLIP and rest:
        from stages.models.text_encoders.open_clip_text import load_open_clip  # seconds to import

        return load_open_clip(rest, say)
    close = get_close_matches(kind, [MINILM, OPEN_CLIP], n=1)
    hint = f" (did you mean {close[0]}?)" if close and close[0] != kind else ""
    raise UsageError(
        f"unknown text encoder '{name}'{hint}",
        "use minilm, open_clip:MODEL/PRETRAINED or open_clip:MODEL/FILE",
    )
