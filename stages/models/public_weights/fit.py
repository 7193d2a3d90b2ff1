"""How well weights by name fit an encoder and its head, as they are published."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from stages.audio.log_mel import FrontEnd
from stages.models.encoders import ENCODERS
from stages.models.encoders.base import Encoder

_OPTIONAL = "num_batches_tracked"  # batch norm counts batches; nothing here uses the number


@dataclass(frozen=True)
class Fit:
    """What of some weights belongs to an encoder.

    Attributes:
        encoder: name of the encoder.
        weights: by the names of a `Tagger`, `encoder.` and `head.`; empty unless all fits.
        labels: number of labels of the head; None: there is no head.
        agreeing: how many entries have the name and the shape of the encoder's.
        differences: in words, each with a name in the file; empty when all fits.
    """

    encoder: str
    weights: Mapping[str, Tensor]
    labels: int | None
    agreeing: int
    differences: tuple[str, ...]


def published_encoders() -> tuple[str, ...]:
    """Names of the encoders of which there are published checkpoints."""
    return tuple(name for name, encoder in ENCODERS.items() if encoder.published_head)


def with_head_in(found: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Names of the encoders whose heads have names of `found`; all where there is no head at all."""
    known = published_encoders()
    beginnings = {name: tuple(ENCODERS[name].published_head) for name in known}
    fitting = [name for name in known if any(key.startswith(beginnings[name]) for key in found)]
    return tuple(fitting) or known


def fit(name: str, found: Mapping[str, Tensor]) -> Fit:
    """Compare `found`, by published names, with what the encoder called `name` needs."""
    with torch.device("meta"):  # names and shapes without memory
        encoder = ENCODERS[name]()
        expected = {key: (f"encoder.{key}", value) for key, value in encoder.state_dict().items()}
        labels = _labels(encoder, found)
        if labels is not None:
            expected |= _published_head(encoder, labels)
    differences = [
        f"{key!r} is missing"
        for key in expected
        if key not in found and not key.endswith(_OPTIONAL)
    ]
    constants = _constants(encoder.front_end) if encoder.published_unused else {}
    for key, value in found.items():
        if key in expected:
            differences += _of_value(key, value, expected[key][1])
        elif key in constants:
            differences += _of_shape(key, value, constants[key])
        elif not key.startswith(encoder.published_unused):
            differences.append(f"{key!r} is not part of it")
    weights = {inside: found[key] for key, (inside, _) in expected.items() if key in found}
    agreeing = sum(
        key in found and found[key].shape == value.shape for key, (_, value) in expected.items()
    )
    return Fit(name, {} if differences else weights, labels, agreeing, tuple(differences))


def _labels(encoder: Encoder, found: Mapping[str, Tensor]) -> int | None:
    """Number of labels of the head in `found`, from the first size that depends on it."""
    of_two, of_three = _published_head(encoder, 2), _published_head(encoder, 3)
    for key, (_, two) in of_two.items():
        if key in found and found[key].dim() == two.dim():
            sizes = zip(two.shape, of_three[key][1].shape, found[key].shape, strict=True)
            for size_of_two, size_of_three, size in sizes:
                if size_of_three > size_of_two:
                    return max(1, size // (size_of_three - size_of_two))
    return 1 if of_two.keys() & found.keys() else None  # something of a head, of no shape known


def _published_head(encoder: Encoder, labels: int) -> dict[str, tuple[str, Tensor]]:
    """Names in the published checkpoint, and what they are in a `Tagger`, of a head of `labels`."""
    head = {}
    beginnings = sorted(encoder.published_head.items(), key=lambda pair: -len(pair[1]))
    for key, value in encoder.make_head(labels).state_dict().items():
        published, own = next(pair for pair in beginnings if key.startswith(pair[1]))
        head[published + key.removeprefix(own)] = (f"head.{key}", value)
    return head


def _constants(front_end: FrontEnd) -> dict[str, tuple[int, ...]]:
    """Shapes of torchlibrosa's constants: all that tells two front ends of one network apart."""
    bins = front_end.fft_samples // 2 + 1
    return {
        "spectrogram_extractor.stft.conv_real.weight": (bins, 1, front_end.fft_samples),
        "spectrogram_extractor.stft.conv_imag.weight": (bins, 1, front_end.fft_samples),
        "logmel_extractor.melW": (bins, front_end.mel_bands),
    }


def _of_value(key: str, value: Tensor, expected: Tensor) -> list[str]:
    if value.is_floating_point() != expected.is_floating_point():
        return [f"{key!r} is of type {value.dtype}, not {expected.dtype}"]
    return _of_shape(key, value, tuple(expected.shape))


def _of_shape(key: str, value: Tensor, expected: tuple[int, ...]) -> list[str]:
    shape = tuple(value.shape)
    return [] if shape == expected else [f"{key!r} has the shape {shape}, not {expected}"]
