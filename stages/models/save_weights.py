"""Write a .safetensors file, and say of what the disk refuses which file it is about."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

_SYSTEMS_NUMBER = re.compile(r"\(os error (\d+)\)")


def save_weights(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write `tensors`, contiguous and in the CPU's memory, and texts by name.

    Raises:
        OSError: what the disk refuses, with its number and `path`, which the library does not name.
    """
    try:
        save_file(dict(tensors), path, dict(metadata))
    except SafetensorError as error:
        found = _SYSTEMS_NUMBER.search(str(error))
        if found is None:
            raise
        number = int(found[1])
        raise OSError(number, os.strerror(number), str(path)) from error
