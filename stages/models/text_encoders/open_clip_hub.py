"""Fetch the weights of an open_clip model from the Hugging Face hub, or find them in its cache."""

from collections.abc import Callable
from pathlib import Path

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import EntryNotFoundError

from stages.errors import SpaError

# What open_clip calls the weights in a repository, the safer format first.
_DEFAULT_NAMES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
_ANSWER_SECONDS = 10


def fetch_weights(name: str, hub: str, say: Callable[[str], None]) -> Path:
    """Path of the weights of the model `name`, downloaded unless the hub's cache has them.

    `hub` is open_clip's address of them: `OWNER/REPOSITORY/`, or the same and a file name. What is
    downloaded, from where, and its size are said before it starts.

    Raises:
        SpaError: the hub does not answer (it is asked once, not for minutes), or has no such file.
    """
    repository, _, file = hub.rpartition("/")
    instead = f"give a local checkpoint as open_clip:{name.partition('/')[0]}/FILE, or use minilm"
    if not repository:
        raise SpaError(f"open_clip names no hub repository for {name}", instead)
    names = _names(file)
    for candidate in names:
        cached = huggingface_hub.try_to_load_from_cache(repository, candidate)
        if isinstance(cached, str):
            return Path(cached)
    size = "size unknown"
    try:
        candidate, size = _first_on_hub(repository, names)
        say(f"downloading {repository}/{candidate} ({size}) from {constants.ENDPOINT}")
        return Path(huggingface_hub.hf_hub_download(repository, candidate))
    except Exception as error:  # the hub's client passes on whatever its transport raises
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        message = f"the weights of open_clip:{name} ({repository}, {size}) could not be downloaded"
        raise SpaError(f"{message} from {constants.ENDPOINT}: {first_line}", instead) from error


def _names(file: str) -> tuple[str, ...]:
    if not file:
        return _DEFAULT_NAMES
    return tuple(dict.fromkeys((str(Path(file).with_suffix(".safetensors")), file)))


def _first_on_hub(repository: str, names: tuple[str, ...]) -> tuple[str, str]:
    """The first of `names` that the hub has, and its size in words."""
    for name in names:
        url = huggingface_hub.hf_hub_url(repository, name)
        try:
            found = huggingface_hub.get_hf_file_metadata(url, timeout=_ANSWER_SECONDS)
        except EntryNotFoundError:
            continue
        return name, "size unknown" if found.size is None else f"{found.size / 1e6:.0f} MB"
    raise FileNotFoundError(f"it has none of {', '.join(names)}")
