"""The labels' text embeddings, checked against the labels that are trained."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from torch import Tensor

from stages.artifacts import read_parquet
from stages.errors import ArtifactError
from stages.models.checkpoint import TextSpace
from stages.models.losses.text_space import centred


@dataclass(frozen=True)
class LabelTexts:
    """embeddings (labels, dimensions), float32, unit length, in label order; and what they are."""

    space: TextSpace
    embeddings: Tensor


def read_label_texts(path: Path, mids: tuple[str, ...], *, centre: bool) -> LabelTexts:
    """Read label_embeddings.parquet.

    Raises:
        ArtifactError: it was made for other labels, or holds something that is no embedding.
    """
    table = read_parquet(path, "label_embeddings")
    found = tuple(table["mid"].to_pylist())
    if found != mids:
        raise ArtifactError(f"{path} {_difference(found, mids)}", "run `spa embed-labels` again")
    vectors = np.stack(table["embedding"].to_numpy()).astype(np.float32)
    if not np.isfinite(vectors).all() or (np.linalg.norm(vectors, axis=1) < 1e-6).any():
        raise ArtifactError(f"{path} holds an embedding that is zero or not finite")
    embeddings = torch.nn.functional.normalize(torch.from_numpy(vectors), dim=1)
    metadata = pq.read_schema(path).metadata
    space = TextSpace(
        text_encoder=metadata[b"spa.text_encoder"].decode(),
        weights_sha256=metadata[b"spa.weights_sha256"].decode(),
        prompt=metadata[b"spa.prompt"].decode(),
        prompts=tuple(table["prompt"].to_pylist()),
        dimensions=embeddings.shape[1],
        centred=centre,
    )
    return LabelTexts(space, centred(embeddings) if centre else embeddings)


def _difference(found: tuple[str, ...], mids: tuple[str, ...]) -> str:
    if len(found) != len(mids):
        return f"holds {len(found)} labels, the workspace has {len(mids)}"
    index = next(i for i, (a, b) in enumerate(zip(found, mids, strict=True)) if a != b)
    return f"was made for other labels: label {index} is {found[index]} there, {mids[index]} here"
