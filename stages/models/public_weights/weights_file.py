"""Read a file of weights that somebody else made, without trusting it."""

import mmap
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from stages.errors import ArtifactError
from stages.models.plain_file import check_plain_file
from stages.models.public_weights.pickled_names import OF_ARRAYS, code_in

_ZIP_BEGINS = b"PK\x03\x04"
_PICKLES_OF_OLD_FILES = 5  # magic number, protocol, machine, content, order of the arrays
_UNWRAPPED = ("model", "state_dict")
_PREFIXES = ("module.", "sed_model.", "_orig_mod.")  # several GPUs; HTS-AT's trainer; torch.compile
_OTHER_FILE = "give the checkpoint as its authors publish it, or its weights as .safetensors"
_REBUILDS = "torch._utils._rebuild_"
# What arrays are pickled with that no model here can compute with.
_NOT_PLAIN = {
    f"{_REBUILDS}qtensor": "quantised",
    f"{_REBUILDS}sparse_tensor": "sparse",
    f"{_REBUILDS}meta_tensor_no_storage": "meta tensors, which have no numbers",
    f"{_REBUILDS}tensor_v3": "of a rare type of number",
    "torch.ComplexFloatStorage": "complex",
    "torch.ComplexDoubleStorage": "complex",
}


class _Ignored:
    """Takes the place of whatever NumPy would make; keeps nothing."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the weights in a `.safetensors` file, or in any other file as PyTorch saves them.

    The weights are found in what training scripts save around them, and prefixes that they add to
    the names are taken off. Nothing in the file is executed, and it cannot fill more memory than it
    has bytes: what is pickled is looked through before it is read, and compression refused.

    Raises:
        ArtifactError: no such file, or it is a folder, a pipe or a device, truncated, or holds code, no
            weights, or weights that are no plain numbers.
    """
    check_plain_file(path, "check the path")
    try:
        content = _content(path)
    except ArtifactError:
        raise
    except pickle.UnpicklingError as error:  # whose text says how to execute it all the same
        message = f"{path} cannot be read as weights: it is pickled in another way than weights are"
        raise ArtifactError(message, _OTHER_FILE) from error
    except PermissionError as error:
        raise ArtifactError(f"{path}: {error.strerror}", "make it readable") from error
    except Exception as error:  # a broken file breaks the readers anywhere
        message = f"{path} cannot be read as weights: it is truncated, or another kind of file"
        raise ArtifactError(message, _OTHER_FILE) from error
    for key in _UNWRAPPED:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        raise ArtifactError(f"{path} holds a {type(content).__name__}, no weights", _OTHER_FILE)
    return _checked(path, content)


def _content(path: Path) -> object:
    if path.stat().st_size == 0:
        raise ArtifactError(f"{path} is empty", _OTHER_FILE)
    if path.suffix == ".safetensors":
        return load_file(path)
    with path.open("rb") as file:
        is_zip = file.read(len(_ZIP_BEGINS)) == _ZIP_BEGINS
    code = _code_in_zip(path) if is_zip else _code_in_old_file(path)
    if code in _NOT_PLAIN:
        message = f"{path} holds weights that are {_NOT_PLAIN[code]} ({code})"
        raise ArtifactError(message, "save them as plain float32, float16 or bfloat16 numbers")
    if code is not None:
        message = f"{path} holds code ({code}), not weights alone: nothing in it was executed"
        raise ArtifactError(message, _OTHER_FILE)
    ignored = [(_Ignored, name) for name in sorted(OF_ARRAYS)]
    with torch.serialization.safe_globals(ignored), warnings.catch_warnings():  # type: ignore[arg-type]
        warnings.simplefilter("ignore")  # what is odd about the file is said in the error
        return torch.load(path, map_location="cpu", weights_only=True)


def _code_in_zip(path: Path) -> str | None:
    """Look through the pickles of a file as PyTorch has saved it since 1.6."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if any(entry.filename.endswith("/constants.pkl") for entry in entries):
            return "a TorchScript program"
        compressed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
        if compressed or sum(entry.file_size for entry in entries) > path.stat().st_size:
            message = f"{path} is a zip that unpacks to more than it holds; PyTorch saves none such"
            raise ArtifactError(message, _OTHER_FILE)
        pickles = [archive.read(entry) for entry in entries if entry.filename.endswith(".pkl")]
    return next((code for code in map(code_in, map(BytesIO, pickles)) if code), None)


def _code_in_old_file(path: Path) -> str | None:
    """Look through the pickles at the beginning of a file as PyTorch saved it before 1.6."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        for _ in range(_PICKLES_OF_OLD_FILES):
            code = code_in(view)
            if code is not None:
                return code
    return None


def _checked(path: Path, content: Mapping[object, object]) -> dict[str, Tensor]:
    """The tensors in `content` by name without prefix; each is whole and in memory."""
    weights: dict[str, Tensor] = {}
    storages: dict[int, int] = {}
    for key, value in content.items():
        if not isinstance(value, Tensor):
            continue
        name = _without_prefixes(str(key))
        if name in weights:
            raise ArtifactError(f"{path} has {name!r} twice", _OTHER_FILE)
        if not _is_whole(value):
            raise ArtifactError(f"{path}: {name!r} is no plain array of numbers", _OTHER_FILE)
        storage = value.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        weights[name] = value.detach()
    if not weights:
        raise ArtifactError(f"{path} holds no weights", _OTHER_FILE)
    if sum(storages.values()) > path.stat().st_size:
        raise ArtifactError(f"{path} promises more weights than it has bytes", _OTHER_FILE)
    return weights


def _is_whole(value: Tensor) -> bool:
    """Whether `value` has its own number in memory for each of its elements."""
    if value.layout != torch.strided or value.device.type != "cpu" or value.is_quantized:
        return False
    return value.numel() * value.element_size() <= value.untyped_storage().nbytes()


def _without_prefixes(name: str) -> str:
    while name.startswith(_PREFIXES):
        name = name.partition(".")[2]
    return name
