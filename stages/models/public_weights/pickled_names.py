"""What a pickle refers to by name, found without executing it."""

import pickletools
import re
from collections.abc import Iterator
from encodings import normalize_encoding
from encodings.aliases import aliases
from io import BytesIO
from mmap import mmap

# What weights are pickled with. PyTorch's own reader accepts a little more; `bytearray`, for one,
# lets a small file ask for any amount of memory.
_OF_WEIGHTS = frozenset(
    {
        "_codecs.encode",
        "__builtin__.set",
        "builtins.set",
        "collections.Counter",
        "collections.OrderedDict",
        "torch.Size",
        "torch.device",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_tensor",
        "torch._utils._rebuild_tensor_v2",
        "torch.nn.parameter.Parameter",
        *(f"torch.{kind}Storage" for kind in ("Half", "BFloat16", "Float", "Double", "Bool")),
        *(f"torch.{kind}Storage" for kind in ("Byte", "Char", "Short", "Int", "Long")),
        *(f"torch.{kind}" for kind in ("float16", "bfloat16", "float32", "float64", "bool")),
        *(f"torch.{kind}" for kind in ("uint8", "int8", "int16", "int32", "int64")),
    }
)

OF_ARRAYS = frozenset(
    {
        "numpy.dtype",
        "numpy.ndarray",
        *(
            f"numpy.{core}.multiarray.{name}"
            for core in ("core", "_core")
            for name in ("_reconstruct", "scalar")
        ),
    }
)
"""What NumPy's arrays and scalars are pickled with: training scripts keep some beside the weights."""

_LONGEST_NAME = 120
_ENCODE = "_codecs.encode"  # how pickles write bytes, as text in Latin 1
# What turns bytes into more bytes, again and again: 30 steps of hexadecimal make a gigabyte of one byte.
_GROWING = frozenset(
    {"base64_codec", "hex_codec", "quopri_codec", "uu_codec", "bz2_codec", "zlib_codec"}
)
_FEW_LETTERS = re.compile(r"([^a-zA-Z0-9]*[a-zA-Z0-9]){2,20}[^a-zA-Z0-9]*")


def code_in(file: BytesIO | mmap) -> str | None:
    """Return the first name in one pickle that has no place beside weights; None: there is none.

    Reads from the position of `file`, to the end of the pickle.

    Raises:
        ValueError: it is no pickle, or breaks off.
    """
    harmless, growing, encodes = _OF_WEIGHTS | OF_ARRAYS, None, False
    for name, is_text in _names(file):
        if is_text:
            growing = name if _grows(name) else growing
        elif name not in harmless:
            return repr(name)[1:-1][:_LONGEST_NAME]  # fit for a terminal
        encodes = encodes or name == _ENCODE
    return f"{_ENCODE} {growing!r}"[:_LONGEST_NAME] if encodes and growing else None


def _grows(text: str) -> bool:
    """Whether `text`, which may be anything, is the name of an encoding of bytes in bytes."""
    if not _FEW_LETTERS.fullmatch(text):
        return False
    name = normalize_encoding(text).lower()
    return aliases.get(name, name) in _GROWING


def _names(file: BytesIO | mmap) -> Iterator[tuple[str, bool]]:
    """Names that a pickle looks up, and the texts in it; with each, whether it is a text."""
    texts = ["", ""]
    for operation, argument, _ in pickletools.genops(file):  # type: ignore[arg-type]
        if operation.name in {"GLOBAL", "INST"}:
            yield str(argument).replace(" ", "."), False
        elif operation.name == "STACK_GLOBAL":  # named by the two texts before it, as a rule
            yield ".".join(texts), False
        elif operation.name in {"EXT1", "EXT2", "EXT4"}:
            yield f"extension {argument}", False
        elif isinstance(argument, str):
            texts = [texts[1], argument]
            yield argument, True
