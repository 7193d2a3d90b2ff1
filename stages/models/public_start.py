"""Start from published weights: a tagger for one's own labels, or the published tagger as it is."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from stages.errors import ArtifactError
from stages.models.audioset_labels import audioset_labels
from stages.models.checkpoint import Checkpoint, ModelHeader, is_ours, load_checkpoint, read_header
from stages.models.encoders import ENCODERS
from stages.models.plain_file import is_there
from stages.models.public_checkpoint import PublicWeights, load_into, read_public_checkpoint
from stages.models.public_weights.download import fetch
from stages.models.public_weights.published import published_file
from stages.models.tagger import Tagger

_AUDIOSET_CLIP_SECONDS = 10.0


def find_public_weights(
    init: str, encoder: str | None, say: Callable[[str], None]
) -> PublicWeights:
    """Read weights to start from: a published file, a model of ours, or the short name of a published one.

    Raises:
        UsageError: no published file is called so.
        SpaError: the file cannot be had, or does not fit (`fetch`, `read_public_checkpoint`).
    """
    if ":" not in init or is_there(Path(init)):
        return _of_our_own(Path(init), encoder) or read_public_checkpoint(Path(init), encoder)
    published = published_file(init)
    return read_public_checkpoint(fetch(published, say), encoder or published.encoder)


def _of_our_own(path: Path, encoder: str | None) -> PublicWeights | None:
    """The encoder and the head of a model that `spa train` made; None: it is no such file.

    Raises:
        ArtifactError: it is of another encoder, or damaged.
    """
    if not is_ours(path):
        return None
    header = read_header(path)
    if encoder not in (None, header.encoder):
        raise ArtifactError(
            f"{path} is of the encoder {header.encoder}, not {encoder}",
            f"use the encoder {header.encoder}, or another file",
        )
    weights = load_checkpoint(path, torch.device("cpu")).tagger.state_dict()
    kept = {
        name: value for name, value in weights.items() if name.startswith(("encoder.", "head."))
    }
    return PublicWeights(path, header.encoder, len(header.mids), kept, header.mids)


def start_from(tagger: Tagger, weights: PublicWeights, mids: Sequence[str]) -> int:
    """Load the encoder and, of the head, all that serves the labels `mids`; how many of them it knows.

    Layers of the head that are the same for any labels are taken over. Of its last layer, where its
    labels are known (it says them, or they are AudioSet's 527), each of `mids` that is one of them gets
    its own weights; the others keep those that they have.

    Raises:
        ArtifactError: the tagger has another encoder.
    """
    load_into(tagger, weights, head=False)
    audioset = audioset_labels().mids
    theirs_known = weights.mids or (audioset if weights.labels == len(audioset) else ())
    place = {mid: index for index, mid in enumerate(theirs_known)}
    known = [(row, place[mid]) for row, mid in enumerate(mids) if mid in place]
    state = tagger.state_dict()
    for name, theirs in weights.weights.items():
        if not name.startswith("head."):
            continue
        if weights.labels is None or theirs.ndim == 0 or theirs.shape[0] != weights.labels:
            state[name].copy_(theirs)
        elif known:
            ours, published_rows = (torch.tensor(rows) for rows in zip(*known, strict=True))
            state[name][ours] = theirs[published_rows].to(state[name].dtype)
    return len(known)


def open_model(path: Path, device: torch.device) -> Checkpoint:
    """Open a model of ours, or a published checkpoint with AudioSet's 527 labels, ready to score.

    Raises:
        ArtifactError: it is neither, or a published one for other labels.
    """
    if is_ours(path):
        return load_checkpoint(path, device)
    return _as_published(read_public_checkpoint(path), device)


def open_published(name: str, device: torch.device, say: Callable[[str], None]) -> Checkpoint:
    """Open a published checkpoint by its short name."""
    return _as_published(find_public_weights(name, None, say), device)


def _as_published(weights: PublicWeights, device: torch.device) -> Checkpoint:
    labels = audioset_labels()
    if weights.labels != len(labels.mids):
        has = "no head" if weights.labels is None else f"a head of {weights.labels} labels"
        raise ArtifactError(
            f"{weights.path} has {has}; what they are is known of AudioSet's {len(labels.mids)} alone",
            f"train a head for your labels: `spa train --init {weights.path}`",
        )
    front_end = ENCODERS[weights.encoder].front_end_for(_AUDIOSET_CLIP_SECONDS)
    tagger = Tagger(weights.encoder, len(labels.mids), front_end=front_end)
    load_into(tagger, weights, head=True)
    header = ModelHeader(
        encoder=weights.encoder,
        front_end=front_end,
        embedding_dimensions=tagger.encoder.embedding_dimensions,
        mids=labels.mids,
        display_names=labels.display_names,
        clip_seconds=_AUDIOSET_CLIP_SECONDS,
        pads_short_clips=False,
        text_space=None,
        ontology_sha256="",
        training={},
        metrics={},
        lineage="{}",
    )
    return Checkpoint(tagger.to(device).eval(), header, device)
