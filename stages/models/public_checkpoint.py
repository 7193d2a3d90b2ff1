"""The published checkpoint of an encoder, recognised by its names and shapes, and loaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from stages.errors import ArtifactError, UsageError
from stages.models.encoders import ENCODERS
from stages.models.float32 import in_float32
from stages.models.public_weights.fit import Fit, fit, published_encoders, with_head_in
from stages.models.public_weights.weights_file import read_weights
from stages.models.tagger import Tagger


@dataclass(frozen=True)
class PublicWeights:
    """The weights in a published checkpoint.

    Attributes:
        path: the file that they are from.
        encoder: name of the encoder that they are of.
        labels: number of labels of the head; None: there is no head. The published heads for
            AudioSet have its 527 labels in their canonical order (`audioset_labels`).
        weights: by the names that they have in a `Tagger`, beginning with `encoder.` or `head.`;
            finite, and in float32 whatever the file has.
        mids: the labels of the head, where the file says them.
    """

    path: Path
    encoder: str
    labels: int | None
    weights: Mapping[str, Tensor]
    mids: tuple[str, ...] | None = None


def read_public_checkpoint(path: Path, encoder: str | None = None) -> PublicWeights:
    """Read a published checkpoint (.pt, .pth, .ckpt, .safetensors), and tell which encoder it is of.

    Nothing in the file is executed. `encoder` says which encoder it must be of; it is needed where
    two encoders have the same weights and the file does not tell them apart.

    Raises:
        ArtifactError: the file cannot be read, holds code, fits no encoder or not the one named,
            fits several, or has a weight that is not finite.
        UsageError: nobody publishes a checkpoint of `encoder`; it names the encoder that the file is of.
    """
    known = published_encoders()
    if encoder is not None and encoder not in known:
        own = read_public_checkpoint(path).encoder
        message = f"{path} is of the encoder {own}, not {encoder}"
        raise UsageError(message, f"use the encoder {own}, or another file")
    found = read_weights(path)
    # Some encoders take a second to build: only those are whose head is there, and the one named.
    candidates = dict.fromkeys((*with_head_in(found), *([encoder] if encoder else [])))
    fits = [fit(name, found) for name in candidates]
    whole = [one for one in fits if not one.differences and encoder in {None, one.encoder}]
    if len(whole) > 1:
        names = " and ".join(one.encoder for one in whole)
        raise ArtifactError(f"{path} fits {names} alike", "name the encoder that it is of")
    if not whole:
        raise _fits_not(path, fits, encoder)
    weights = in_float32(path, whole[0].weights)
    return PublicWeights(path, whole[0].encoder, whole[0].labels, weights)


def load_into(tagger: Tagger, weights: PublicWeights, head: bool) -> None:
    """Load the encoder's weights into `tagger` and, with `head`, the head's.

    The head is of use only where the tagger has the same labels in the same order: whoever asks for
    it has compared them.

    Raises:
        ArtifactError: `tagger` has another encoder, or a head is asked for that is not there, or is
            of another number of labels.
    """
    if type(tagger.encoder) is not ENCODERS[weights.encoder]:
        own = type(tagger.encoder).__name__
        raise ArtifactError(f"{weights.path} is of the encoder {weights.encoder}, not {own}")
    state = tagger.state_dict()
    chosen = {
        name: value
        for name, value in weights.weights.items()
        if head or not name.startswith("head.")
    }
    if head and any(
        name not in chosen or chosen[name].shape != value.shape
        for name, value in state.items()
        if name.startswith("head.")
    ):
        has = "no head" if weights.labels is None else f"a head of {weights.labels} labels"
        message = f"{weights.path} has {has}, which is not the head of this model"
        raise ArtifactError(message, "load the encoder alone, and train the head")
    tagger.load_state_dict(state | chosen)


def _fits_not(path: Path, fits: list[Fit], encoder: str | None) -> ArtifactError:
    """Say what the file is nearest to, and the first thing in which it differs."""
    nearest = min(fits, key=lambda one: (len(one.differences), -one.agreeing))
    if encoder is not None and nearest.encoder != encoder and not nearest.differences:
        message = f"{path} is of the encoder {nearest.encoder}, not {encoder}"
        return ArtifactError(message, f"use the encoder {nearest.encoder}, or another file")
    named = next((one for one in fits if one.encoder == encoder), nearest)
    others = len(named.differences) - 1
    difference = named.differences[0] + (f", and {others} more differences" if others else "")
    next_step = f"give a published checkpoint of one of {', '.join(published_encoders())}"
    if encoder is not None:
        return ArtifactError(f"{path} does not fit the encoder {encoder}: {difference}", next_step)
    if not nearest.agreeing:
        return ArtifactError(f"{path} holds the weights of no known encoder", next_step)
    message = f"{path} fits no encoder; the nearest is {nearest.encoder}, but {difference}"
    return ArtifactError(message, next_step)
