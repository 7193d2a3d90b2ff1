"""Files of weights that somebody else made: read in every form, and refused by name, never executed."""

import io
import os
import pickle
import random
import struct
import zipfile
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from stages.errors import ArtifactError
from stages.models.public_weights.pickled_names import code_in
from stages.models.public_weights.weights_file import read_weights


@pytest.fixture
def weights() -> OrderedDict[str, Tensor]:
    torch.manual_seed(0)
    return OrderedDict(
        {
            "features.weight": torch.rand(3, 4),
            "features.bias": torch.rand(3),
            "features.num_batches_tracked": torch.tensor(7),
            "half": torch.rand(2).half(),
        }
    )


def _save(content: object, path: Path, form: str) -> Path:
    if form == "safetensors":
        assert isinstance(content, dict)
        path = path.with_suffix(".safetensors")
        save_file(dict(content), path)
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    return path


def _same(found: dict[str, Tensor], expected: OrderedDict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value), name
        assert not found[name].requires_grad


FORMS = ["zip", "old", "safetensors"]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_weights(
    tmp_path: Path, weights: OrderedDict[str, Tensor], form: str
) -> None:
    _same(read_weights(_save(weights, tmp_path / "a.pt", form)), weights)


@pytest.mark.parametrize("form", ["zip", "old"])
@pytest.mark.parametrize("wrapper", ["model", "state_dict"])
@pytest.mark.parametrize("prefix", ["module.", "sed_model.", "sed_model.module."])
def test_wrappers_and_prefixes_are_taken_off(
    tmp_path: Path, weights: OrderedDict[str, Tensor], form: str, wrapper: str, prefix: str
) -> None:
    parameters = {
        prefix + name: torch.nn.Parameter(value) if value.is_floating_point() else value
        for name, value in weights.items()
    }
    content = {"epoch": 3, "optimizer_states": [{"step": 1.5}], wrapper: parameters}
    _same(read_weights(_save(content, tmp_path / "a.ckpt", form)), weights)


@pytest.mark.parametrize("form", ["zip", "old"])
@pytest.mark.parametrize("numpy", [1, 2])
def test_arrays_beside_the_weights_are_passed_over(
    tmp_path: Path, weights: OrderedDict[str, Tensor], form: str, numpy: int
) -> None:
    """As PANNs' trainer saves: its sampler's arrays, by the names of NumPy 1 in the published files."""
    sampler = {"indexes_per_class": [np.arange(9), np.arange(3)], "queue": [5, 2]}
    content = {"iteration": 600000, "model": weights, "sampler": sampler, "mAP": np.float64(0.4)}
    path = _save(content, tmp_path / "a.pth", form)
    if numpy == 1:
        _rewrite(path, b"numpy._core.multiarray", b"numpy.core.multiarray")
    allowed = set(torch.serialization.get_safe_globals())
    _same(read_weights(path), weights)
    assert set(torch.serialization.get_safe_globals()) == allowed


def _rewrite(path: Path, old: bytes, new: bytes) -> None:
    """Replace bytes of the pickle, in either form."""
    if not zipfile.is_zipfile(path):
        path.write_bytes(path.read_bytes().replace(old, new))
        return
    with zipfile.ZipFile(path) as archive:
        entries = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content.replace(old, new) if name.endswith(".pkl") else content)


class _Hostile:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("form", ["zip", "old", "pickle 0", "pickle 2", "pickle 5"])
def test_code_is_named_and_not_executed(
    tmp_path: Path, weights: OrderedDict[str, Tensor], form: str
) -> None:
    folder, path = tmp_path / "made", tmp_path / "a.pt"
    content = {"model": weights, "extra": _Hostile(folder)}
    if form.startswith("pickle"):
        path.write_bytes(pickle.dumps({"extra": _Hostile(folder)}, protocol=int(form[-1])))
    else:
        _save(content, path, form)
    with pytest.raises(ArtifactError) as caught:
        read_weights(path)
    assert f"holds code ({os.name}.mkdir)" in caught.value.message
    assert "nothing in it was executed" in caught.value.message
    assert not folder.exists()


@pytest.mark.parametrize(
    "name",
    [
        "numpy.testing._private.utils runstring",
        "builtins bytearray",
        "torch.hub load",
        "torch FloatTensor",
        "__torch__ Model",
    ],
)
def test_what_is_not_of_weights_is_refused(tmp_path: Path, name: str) -> None:
    """Code in the clothes of a library that is expected, and what asks for memory by the number."""
    path = tmp_path / "a.pth"
    path.write_bytes(b"\x80\x02c" + name.replace(" ", "\n").encode() + b"\nJ\xff\xff\xff\x7f\x85R.")
    with pytest.raises(ArtifactError, match=rf"code \({name.replace(' ', '.')}\)"):
        read_weights(path)


@pytest.mark.parametrize("codec", ["hex", "Base-64", "--hex--", "quopri_codec"])
def test_text_that_grows_by_encoding_is_refused(tmp_path: Path, codec: str) -> None:
    """Encoded 40 times over, two letters are 2 TB."""
    name = codec.encode()
    text = b"X" + struct.pack("<I", len(name)) + name
    latin = b"X\x06\x00\x00\x00latin1"
    begin = b"c_codecs\nencode\n" * 41 + b"X\x02\x00\x00\x00ab" + latin + b"\x86R"
    path = tmp_path / "a.pt"
    path.write_bytes(b"\x80\x02" + begin + (text + b"\x86R") * 40 + b".")
    with pytest.raises(ArtifactError, match=rf"code \(_codecs\.encode '{codec}'\)"):
        read_weights(path)


def test_a_weight_may_be_called_as_an_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save({"hex": torch.zeros(2)}, path)
    assert read_weights(path).keys() == {"hex"}


def test_names_in_a_file_do_not_reach_the_terminal_raw(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(b"\x80\x02cos\n\x1b[2Jsystem" + b"m" * 1000 + b"\n.")
    with pytest.raises(ArtifactError, match=r"code \(os\.\\x1b\[2Jsystemm{10,200}\)"):
        read_weights(path)


@pytest.mark.parametrize("form", FORMS)
def test_truncated_files_are_refused(
    tmp_path: Path, weights: OrderedDict[str, Tensor], form: str
) -> None:
    path = _save(weights, tmp_path / "a.pt", form)
    whole = path.read_bytes()
    step = len(whole) // 23
    for length in [*range(step, len(whole), step), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ArtifactError, match=r"a\.(pt|safetensors) cannot be read as weights"):
            read_weights(path)


@pytest.mark.parametrize("form", FORMS)
def test_damaged_files_are_read_or_refused(
    tmp_path: Path, weights: OrderedDict[str, Tensor], form: str
) -> None:
    path = _save(weights, tmp_path / "a.pt", form)
    whole = path.read_bytes()
    chance = random.Random(0)  # noqa: S311 - damage, not secrets
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        with suppress(ArtifactError):  # and nothing else
            assert read_weights(path)


@pytest.mark.parametrize(
    "content", [b"RIFF....WAVEfmt ", b"# Weights\n", b"PK\x03\x04", b"\x80\x02."]
)
def test_what_is_no_file_of_weights_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"a\.pt cannot be read as weights"):
        read_weights(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"none\.pt not found"):
        read_weights(tmp_path / "none.pt")
    with pytest.raises(ArtifactError, match=r"none\.safetensors not found"):
        read_weights(tmp_path / "none.safetensors")
    with pytest.raises(ArtifactError, match=f"{tmp_path} is a folder"):
        read_weights(tmp_path)


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_what_has_no_end_or_no_beginning_is_not_opened(tmp_path: Path, suffix: str) -> None:
    """A pipe that nobody writes to would be waited for until the end of time."""
    os.mkfifo(tmp_path / f"pipe{suffix}")
    (tmp_path / f"zeros{suffix}").symlink_to("/dev/zero")
    (tmp_path / f"circle{suffix}").symlink_to(tmp_path / f"circle{suffix}")
    (tmp_path / f"empty{suffix}").touch()
    said = {
        "pipe": "pipe is a pipe or a device",
        "zeros": "zeros is a pipe or a device",
        "circle": "circle: Too many levels",
        "empty": "empty is empty",
        "long" * 1000: "long: File name too long",
    }
    for name, message in said.items():
        with pytest.raises(ArtifactError) as caught:
            read_weights(tmp_path / f"{name}{suffix}")
        assert message in caught.value.message.replace(suffix, "")
        assert caught.value.next_step


def test_a_zip_bomb_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(50 << 20))
    with pytest.raises(ArtifactError, match="unpacks to more than it holds"):
        read_weights(path)


def test_a_zip_that_lies_about_sizes_is_refused(
    tmp_path: Path, weights: OrderedDict[str, Tensor]
) -> None:
    path = _save(weights, tmp_path / "a.pt", "zip")
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("a/data.pkl").file_size
    whole = bytearray(path.read_bytes())
    at = whole.index(b"PK\x01\x02") + 20  # sizes of the first entry in the directory
    assert struct.unpack_from("<II", whole, at) == (size, size)
    struct.pack_into("<II", whole, at, 1 << 30, 1 << 30)
    path.write_bytes(whole)
    with pytest.raises(ArtifactError, match="unpacks to more than it holds"):
        read_weights(path)


def test_a_number_repeated_is_refused(tmp_path: Path) -> None:
    """Repeated 10^12 times it is a file of a kilobyte and a model of 4 TB."""
    path = _save({"a": torch.zeros(1).expand(10**12)}, tmp_path / "a.pt", "zip")
    with pytest.raises(ArtifactError, match="'a' is no plain array of numbers"):
        read_weights(path)


UNUSUAL = {
    "sparse": lambda: torch.eye(3).to_sparse(),
    "quantised": lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
    "complex": lambda: torch.ones(3, dtype=torch.complex64),
    "meta tensors, which have no numbers": lambda: torch.ones(3, device="meta"),
    "of a rare type of number": lambda: torch.ones(3).to(torch.float8_e5m2),
}


@pytest.mark.filterwarnings("ignore:.*quanti.*:UserWarning", "ignore:.*quanti.*:DeprecationWarning")
@pytest.mark.parametrize("kind", UNUSUAL)
def test_arrays_that_no_model_computes_with_are_named(tmp_path: Path, kind: str) -> None:
    path = _save({"fine": torch.ones(3), "a": UNUSUAL[kind]()}, tmp_path / "a.pt", "zip")
    with pytest.raises(
        ArtifactError, match=rf"a\.pt holds weights that are {kind} \(torch"
    ) as caught:
        read_weights(path)
    assert caught.value.next_step == "save them as plain float32, float16 or bfloat16 numbers"


@pytest.mark.parametrize("form", ["zip", "old"])
def test_more_weights_promised_than_there_are_bytes(tmp_path: Path, form: str) -> None:
    path = _save({"a": torch.zeros(5)}, tmp_path / "a.pt", form)
    for ending in (b"t", b"Nt", b"\x85"):  # in an array's place in the file, and its shape
        _rewrite(path, b"K\x05" + ending, b"J" + struct.pack("<i", 10**9) + ending)
    with pytest.raises(ArtifactError, match=r"cannot be read|promises more weights"):
        read_weights(path)


def test_a_safetensors_header_as_long_as_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 62) + b"{}")
    with pytest.raises(ArtifactError, match="cannot be read as weights"):
        read_weights(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.zeros(2)], "holds a list, no weights"),
        (torch.zeros(2), "holds a Tensor, no weights"),
        ({"epoch": 3}, "holds no weights"),
        ({"model": {"epoch": 3}}, "holds no weights"),
        ({"a.b": torch.zeros(2), "module.a.b": torch.ones(2)}, "has 'a.b' twice"),
    ],
)
def test_what_holds_no_weights_is_named(tmp_path: Path, content: object, message: str) -> None:
    path = tmp_path / "a.pt"
    torch.save(content, path)
    with pytest.raises(ArtifactError, match=message):
        read_weights(path)


def test_another_protocol_is_refused_without_advice_to_execute_it(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save({"a": torch.zeros(2)}, path, pickle_protocol=4)
    with pytest.raises(ArtifactError, match=r"it is pickled in another way than weights are$"):
        read_weights(path)


def test_a_torchscript_program_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02c__torch__\nModel\n)\x81.")
        archive.writestr("a/constants.pkl", b"\x80\x02).")
    with pytest.raises(ArtifactError, match=r"holds code \(a TorchScript program\)"):
        read_weights(path)


def test_a_pickled_text_that_claims_4_gb_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 4294967295 bytes"):
        code_in(io.BytesIO(b"\x80\x02X\xff\xff\xff\xffabc"))
