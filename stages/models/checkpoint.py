"""A model file: weights, and in its header everything that using them needs."""

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from safetensors import SafetensorError
from safetensors.torch import load_file

from stages.audio.log_mel import FrontEnd
from stages.errors import ArtifactError
from stages.models.encoders import ENCODERS
from stages.models.float32 import check_types, in_float32
from stages.models.plain_file import check_plain_file
from stages.models.save_weights import save_weights
from stages.models.tagger import Tagger
from stages.models.text_pull import TextPull

_HEADER_KEY = "spa"
_LONGEST_HEADER_BYTES = 64 << 20
_MOST_DIMENSIONS = 1 << 16  # of a text; a header that asks for more would fill memory
_MOST_SECONDS = 600.0
_ANOTHER = "name a model.safetensors as `spa train` made it"


class TextSpace(BaseModel):
    """The text embeddings that a model was aligned with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text_encoder: str
    weights_sha256: str
    prompt: str
    prompts: tuple[str, ...]
    dimensions: int = Field(ge=1, le=_MOST_DIMENSIONS)
    centred: bool


class ModelHeader(BaseModel):
    """What a model file says of itself.

    A clip shorter than `clip_seconds` is filled up with silence, as in training; a model with
    `pads_short_clips` False hears it as long as it is (but at least a second). `text_space` is what
    the labels' texts were in training, if they took part; `projects`: the model has a projection
    there; `text_pull`: how much the texts move the scores.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: str
    front_end: FrontEnd
    embedding_dimensions: int = Field(ge=1)
    mids: tuple[str, ...] = Field(min_length=1)
    display_names: tuple[str, ...]
    clip_seconds: float = Field(gt=0, le=_MOST_SECONDS)
    pads_short_clips: bool = True
    text_space: TextSpace | None
    projects: bool = True
    text_pull: float = Field(0.0, ge=0, allow_inf_nan=False)
    ontology_sha256: str
    training: dict[str, object]
    metrics: dict[str, float]
    lineage: str

    @field_validator("lineage")
    @classmethod
    def _is_a_record(cls, lineage: str) -> str:
        record = json.loads(lineage)
        if not isinstance(record, dict) or not isinstance(record.get("inputs", {}), dict):
            raise ValueError("no lineage")  # noqa: TRY004 - pydantic takes ValueError
        return lineage

    @field_validator("display_names")
    @classmethod
    def _is_of_each_label(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if len(names) != len(info.data.get("mids", names)):
            raise ValueError("not one for each of the mids")
        return names

    @property
    def sample_rate(self) -> int:
        """Sample rate in Hz of the waveforms that the model takes."""
        return self.front_end.sample_rate


@dataclass(frozen=True)
class Checkpoint:
    """A model that is ready to score: in eval mode, on its device."""

    tagger: Tagger
    header: ModelHeader
    device: torch.device


def save_checkpoint(path: Path, weights: dict[str, torch.Tensor], header: ModelHeader) -> None:
    """Write weights (the tagger's state_dict) and header. The same content gives the same bytes.

    Raises:
        OSError: what the disk refuses, with its number and `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    text = json.dumps(header.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    save_weights(path, tensors, {_HEADER_KEY: text})


def load_checkpoint(path: Path, device: torch.device) -> Checkpoint:
    """Read a model file; nothing in it is executed.

    Raises:
        ArtifactError: the file is missing, is no model of this toolkit, or its weights do not fit or are
            no finite numbers.
    """
    header = read_header(path)
    expected = ENCODERS.get(header.encoder)
    if expected is None or expected.front_end_for(header.clip_seconds) != header.front_end:
        raise ArtifactError(
            f"{path}: encoder '{header.encoder}' with this front end is unknown to this version",
            "use the version that trained the model; its lineage says which",
        )
    tagger = _empty_tagger(header)
    try:
        weights = load_file(path)
        check_types(path, weights, tagger.state_dict())
        tagger.load_state_dict(in_float32(path, weights), strict=True)
    except (RuntimeError, SafetensorError) as error:
        detail = " ".join(str(error).split())[:200]
        message = f"{path}: the weights do not fit the header: {detail}"
        raise ArtifactError(message, _ANOTHER) from error
    return Checkpoint(tagger.to(device).eval(), header, device)


def _empty_tagger(header: ModelHeader) -> Tagger:
    """A tagger of the header's shape, for its weights."""
    labels, projection, pull = len(header.mids), None, None
    if header.text_space is not None:
        dimensions = header.text_space.dimensions
        projection = dimensions if header.projects else None
        if header.text_pull > 0:
            pull = TextPull(torch.zeros(labels, dimensions), header.text_pull)
    return Tagger(header.encoder, labels, projection, header.front_end, pull)


def read_header(path: Path) -> ModelHeader:
    """Read and check the header of a model file, and no weights.

    Raises:
        ArtifactError: the file is missing, cannot be read, or is no model of this toolkit.
    """
    text = _header_text(path)
    if text is None:
        raise _no_model(path)
    try:
        return ModelHeader.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = f"{path}: header field '{where}': {first['msg']}"
        raise ArtifactError(message, _ANOTHER) from error
    except ValueError as error:  # half of a surrogate pair
        raise _no_model(path) from error


def is_ours(path: Path) -> bool:
    """Whether the file at `path` says that it is a model of this toolkit, rightly or not."""
    try:
        return _header_text(path) is not None
    except ArtifactError:
        return False


def _header_text(path: Path) -> str | None:
    check_plain_file(path, "name a run, or a model.safetensors that `spa train` made")
    try:
        with path.open("rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            if length > _LONGEST_HEADER_BYTES:
                return None
            text = json.loads(file.read(length))["__metadata__"][_HEADER_KEY]
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror or error}", "check the file") from error
    except (struct.error, ValueError, KeyError, TypeError, RecursionError):
        return None
    return text if isinstance(text, str) else None


def _no_model(path: Path) -> ArtifactError:
    return ArtifactError(f"{path} is no model of this toolkit", _ANOTHER)
