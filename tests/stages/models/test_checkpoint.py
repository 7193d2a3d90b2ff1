"""Model files: complete, reproducible, and refused by name when they are not what they say."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from stages.errors import ArtifactError, UsageError
from stages.models.checkpoint import (
    ModelHeader,
    TextSpace,
    load_checkpoint,
    read_header,
    save_checkpoint,
)
from stages.models.devices import choose_device
from stages.models.tagger import Tagger

CPU = torch.device("cpu")


@pytest.fixture
def tagger() -> Tagger:
    torch.manual_seed(0)
    return Tagger("small", 2, text_dimensions=8)


@pytest.fixture
def header(tagger: Tagger) -> ModelHeader:
    text = TextSpace(
        text_encoder="minilm",
        weights_sha256="0" * 64,
        prompt="{name}",
        prompts=("Violin, fiddle", "Cello ♪"),
        dimensions=8,
        centred=True,
    )
    return ModelHeader(
        encoder="small",
        front_end=tagger.encoder.front_end,
        embedding_dimensions=256,
        mids=("/m/07y_7", "/m/01xqw"),
        display_names=("Violin, fiddle", "Cello"),
        clip_seconds=2.0,
        text_space=text,
        ontology_sha256="1" * 64,
        training={"epochs": 3},
        metrics={"valid_mAP": 0.5},
        lineage="{}",
    )


@pytest.fixture
def saved(tmp_path: Path, tagger: Tagger, header: ModelHeader) -> Path:
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, tagger.state_dict(), header)
    return path


def test_what_is_saved_comes_back(saved: Path, tagger: Tagger, header: ModelHeader) -> None:
    found = load_checkpoint(saved, CPU)
    assert found.header == header == read_header(saved)
    assert not found.tagger.training
    for name, weights in tagger.state_dict().items():
        assert torch.equal(found.tagger.state_dict()[name], weights), name


def test_same_content_same_bytes(
    saved: Path, tmp_path: Path, tagger: Tagger, header: ModelHeader
) -> None:
    again = tmp_path / "again.safetensors"
    save_checkpoint(again, dict(reversed(tagger.state_dict().items())), header)
    assert saved.read_bytes() == again.read_bytes()


def test_front_end_constants_are_not_saved(saved: Path) -> None:
    assert not [name for name in load_file(saved) if name.startswith("log_mel")]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"nothing\.safetensors not found"):
        load_checkpoint(tmp_path / "nothing.safetensors", CPU)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x04\x95", b"RIFF....WAVE", struct.pack("<Q", 2**62), struct.pack("<Q", 2) + b"{}"],
    ids=["empty", "pickle", "wav", "huge header", "no metadata"],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"model\.safetensors is no"):
        load_checkpoint(path, CPU)


def test_truncated_weights_are_refused(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:-100])
    with pytest.raises(ArtifactError, match="weights do not fit"):
        load_checkpoint(saved, CPU)


def test_weights_of_another_shape_are_refused(saved: Path, header: ModelHeader) -> None:
    three = header.model_copy(update={"mids": ("a", "b", "c"), "display_names": ("a", "b", "c")})
    save_checkpoint(saved, load_file(saved), three)
    with pytest.raises(ArtifactError, match="head"):
        load_checkpoint(saved, CPU)


def test_a_header_field_that_is_wrong_is_named(saved: Path, header: ModelHeader) -> None:
    broken = header.model_dump(mode="json") | {"clip_seconds": -1}
    save_file(load_file(saved), saved, metadata={"spa": json.dumps(broken)})
    with pytest.raises(ArtifactError, match="clip_seconds"):
        load_checkpoint(saved, CPU)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lineage", "no JSON"),
        ("lineage", '{"inputs": 3}'),
        ("display_names", ["one of two"]),
        ("text_space.dimensions", 10**13),
        ("clip_seconds", 1e300),
    ],
)
def test_a_header_that_would_fail_later_is_refused(
    saved: Path, header: ModelHeader, field: str, value: object
) -> None:
    broken = header.model_dump(mode="json")
    outer, _, inner = field.partition(".")
    broken |= {outer: broken[outer] | {inner: value} if inner else value}
    save_file(load_file(saved), saved, metadata={"spa": json.dumps(broken)})
    with pytest.raises(ArtifactError, match=f"header field '{field}'") as caught:
        load_checkpoint(saved, CPU)
    assert caught.value.next_step


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_read_exactly(
    saved: Path, tagger: Tagger, header: ModelHeader, dtype: torch.dtype
) -> None:
    half = {
        name: value.to(dtype) if value.is_floating_point() else value
        for name, value in tagger.state_dict().items()
    }
    save_checkpoint(saved, half, header)
    for name, value in load_checkpoint(saved, CPU).tagger.state_dict().items():
        assert value.dtype == tagger.state_dict()[name].dtype
        assert torch.equal(value, half[name].to(value.dtype)), name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda value: value.to(torch.complex64), "is of type torch.complex64, not torch.float32"),
        (lambda value: value.to(torch.int32), "is of type torch.int32, not torch.float32"),
        (lambda value: value * float("nan"), "are not all finite numbers"),
        (lambda value: -1 - value.abs(), "are variances, but not all at least 0"),
        (lambda value: value[:0], "size mismatch for encoder.bn0.running_var"),
    ],
    ids=["complex", "whole", "NaN", "negative", "nothing"],
)
def test_numbers_that_no_model_has_are_refused(
    saved: Path,
    tagger: Tagger,
    header: ModelHeader,
    change: Callable[[torch.Tensor], torch.Tensor],
    message: str,
) -> None:
    weights = tagger.state_dict()
    weights["encoder.bn0.running_var"] = change(weights["encoder.bn0.running_var"])
    save_checkpoint(saved, weights, header)
    with pytest.raises(ArtifactError, match=message) as caught:
        load_checkpoint(saved, CPU)
    assert caught.value.message.startswith(str(saved))
    assert caught.value.next_step


def test_what_the_disk_refuses_names_the_file(
    tmp_path: Path, tagger: Tagger, header: ModelHeader
) -> None:
    """The library that writes says what is refused, but not of which file."""
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        save_checkpoint(tmp_path / "model.safetensors", tagger.state_dict(), header)
    assert caught.value.filename == str(tmp_path / "model.safetensors")


def test_an_unknown_encoder_is_named(saved: Path, header: ModelHeader) -> None:
    save_checkpoint(saved, load_file(saved), header.model_copy(update={"encoder": "cnn99"}))
    with pytest.raises(ArtifactError, match="cnn99"):
        load_checkpoint(saved, CPU)


def test_the_projection_does_not_disturb_the_rest() -> None:
    torch.manual_seed(7)
    plain = Tagger("small", 4)
    after_plain = torch.rand(1)
    torch.manual_seed(7)
    aligned = Tagger("small", 4, text_dimensions=16)
    after_aligned = torch.rand(1)
    assert aligned.projection is not None
    for name, weights in plain.state_dict().items():
        assert torch.equal(weights, aligned.state_dict()[name]), name
    assert torch.equal(after_plain, after_aligned)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_cuda_without_a_device_is_refused() -> None:
    assert choose_device("auto") == CPU
    with pytest.raises(UsageError, match="no CUDA device"):
        choose_device("cuda")
