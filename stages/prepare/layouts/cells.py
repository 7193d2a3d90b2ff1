"""The values of a row that somebody else wrote: text, labels, numbers, splits, names of files.

Functions raise ValueError with the value received; None and "" are no value. A value that
its file's reader could not read is an exception, and is no text and no number either.
"""

import math
import re
from contextlib import suppress
from pathlib import PurePosixPath
from reprlib import repr as short_repr

from stages.prepare.listing import Split

SPLIT_WORDS: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev"), "valid"),
    **dict.fromkeys(("eval", "evaluation", "test"), "eval"),
}
"""What data sets call their splits."""

MOST_SECONDS = 1e9
"""Some 32 years: no recording is longer, so a list that says more is wrong."""

_LARGEST_FOLD = 2**31 - 1
_NUMBERS = (int, float, str)
_LONGEST_TEXT, _MOST_LABELS = 4096, 1000  # beyond any path and any clip: they bound memory


def stem_of(path: str) -> str:
    """The name of a file without its extension; pathlib's own takes four times as long."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def text_of(name: str, value: object) -> str | None:
    """Text that a table can hold; a whole number is its digits."""
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"{name} is {short_repr(value)}, not text")  # noqa: TRY004 - as all here
    if len(value) > _LONGEST_TEXT:
        raise ValueError(f"{name} has {len(value)} characters, more than {_LONGEST_TEXT}")
    if "\0" in value or not _is_unicode(value):
        raise ValueError(f"{name} {short_repr(value)} is no valid Unicode text")
    return value


def _is_unicode(text: str) -> bool:
    """Whether it is free of half a surrogate pair, which JSON can spell and UTF-8 cannot."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def labels_of(name: str, value: object) -> tuple[str, ...]:
    """Labels of a list, or of text that parts them by ';'; each once, in their order."""
    if isinstance(value, str):
        values: list[object] = [*value.split(";")]
    else:
        values = value if isinstance(value, list) else [value]
    if len(values) > _MOST_LABELS:
        raise ValueError(f"{name} are {len(values)}, more than {_MOST_LABELS}")
    labels = (label.strip() for item in values if (label := text_of(name, item)) is not None)
    return tuple(dict.fromkeys(label for label in labels if label))


def seconds_of(name: str, value: object) -> float | None:
    """A time: not negative, and of a length that a recording can have."""
    seconds = _number_of(name, value)
    if seconds is not None and not 0 <= seconds <= MOST_SECONDS:
        raise ValueError(f"{name} {seconds} is not between 0 and {MOST_SECONDS:g}")
    return seconds


def fold_of(name: str, value: object) -> int | None:
    """The number of a fold."""
    fold = _number_of(name, value)
    if fold is not None and not (fold.is_integer() and 0 <= fold <= _LARGEST_FOLD):
        raise ValueError(f"{name} {fold} is no number of a fold")
    return None if fold is None else int(fold)


def _number_of(name: str, value: object) -> float | None:
    if value is None or value == "" or (isinstance(value, str) and value.isspace()):
        return None
    number = math.nan
    if isinstance(value, _NUMBERS) and not isinstance(value, bool):
        with suppress(ValueError, OverflowError):
            number = float(value)
    if not math.isfinite(number) or (isinstance(value, str) and "_" in value):
        raise ValueError(f"{name} is {short_repr(value)}, not a number")
    return number


def split_of(name: str, value: object) -> Split | None:
    """A split by any of its names, whatever their case."""
    written = (text_of(name, value) or "").strip().lower()
    if written and written not in SPLIT_WORDS:
        raise ValueError(f"{name} is {written!r}, not one of {', '.join(SPLIT_WORDS)}")
    return SPLIT_WORDS.get(written)


def split_of_path(path: str) -> Split | None:
    """The split that a word of a path names; the file's name counts before its folders'."""
    for part in reversed(PurePosixPath(path).parts):
        for word in re.split("[^a-z]+", part.lower()):
            if word in SPLIT_WORDS:
                return SPLIT_WORDS[word]
    return None
