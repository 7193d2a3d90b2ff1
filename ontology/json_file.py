"""Read and check an ontology in AudioSet's JSON form."""

import json
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from reprlib import repr as short_repr

from ontology.errors import OntologyError

MAX_BYTES = 16 << 20
"""Largest file that is read: about fifty times AudioSet's. It bounds the memory that JSON takes."""

_MAX_NAMED = 10
_NEXT_STEP = "correct the file, or name another ontology in AudioSet's JSON form"


@dataclass(frozen=True)
class Entry:
    """One node as the file gives it; `child_mids` without repetitions, in the file's order."""

    mid: str
    name: str
    description: str
    restrictions: tuple[str, ...]
    child_mids: tuple[str, ...]


def read_ontology_json(path: Path) -> list[Entry]:
    """Read the nodes of `path`, in its order, having checked that they make a graph with no cycle.

    The file holds a list of objects with `id` and `name`, and, where there are any, `description`,
    `child_ids` and `restrictions`; other keys are ignored.

    Raises:
        OntologyError: no file, too large, broken JSON, no list or an empty one, a node without id
            or name, a value of the wrong type, a duplicate id, a missing child, a cycle.
    """
    document = _parse(path, _read(path))
    if not isinstance(document, list):
        raise _error(path, f"holds {_kind(document)}, not a list of nodes")
    if not document:
        raise _error(path, "holds an empty list: an ontology has at least one node")
    entries = [_entry(path, index, node) for index, node in enumerate(document)]
    _check_ids(path, entries)
    _check_no_cycle(path, entries)
    return entries


def _error(path: Path, problem: str) -> OntologyError:
    return OntologyError(f"ontology {path} {problem}", _NEXT_STEP)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise _error(path, "was not found") from error
    except OSError as error:
        raise _error(path, f"cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise _error(path, f"is larger than {MAX_BYTES} bytes, the most that is read")
    return data


def _parse(path: Path, data: bytes) -> object:
    try:
        document: object = json.loads(data)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _error(path, f"is broken JSON at {where}: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise _error(path, f"is no UTF-8 text at byte {error.start}") from error
    except (ValueError, RecursionError) as error:  # a number or a nesting beyond Python's limits
        raise _error(path, f"cannot be parsed as JSON: {error}") from error
    return document


def _entry(path: Path, index: int, node: object) -> Entry:
    where = f"node {index} (counted from 0)"
    if not isinstance(node, dict):
        raise _error(path, f"has {_kind(node)} as {where}, not an object")
    mid = _text(path, where, node, "id")
    where = f"node {short_repr(mid)}"
    return Entry(
        mid=mid,
        name=_text(path, where, node, "name"),
        description=_text(path, where, node, "description", default=""),
        restrictions=_texts(path, where, node, "restrictions"),
        child_mids=_texts(path, where, node, "child_ids"),
    )


def _text(
    path: Path, where: str, node: dict[str, object], key: str, default: str | None = None
) -> str:
    """The string at `key`; where there is no default it must be there, and not be empty."""
    value = node.get(key, default)
    if value is None and key not in node:
        raise _error(path, f"has no '{key}' in {where}")
    if not isinstance(value, str):
        raise _error(path, f"has {short_repr(value)} as '{key}' of {where}, not a string")
    if not value and default is None:
        raise _error(path, f"has an empty '{key}' in {where}")
    return _storable(path, where, key, value)


def _texts(path: Path, where: str, node: dict[str, object], key: str) -> tuple[str, ...]:
    """The list of strings at `key`, each once; no key is an empty list."""
    values = node.get(key, [])
    if not isinstance(values, list):
        raise _error(path, f"has {short_repr(values)} as '{key}' of {where}, not a list")
    for value in values:
        if not isinstance(value, str):
            raise _error(path, f"has {short_repr(value)} in '{key}' of {where}, not a string")
        _storable(path, where, key, value)
    return tuple(dict.fromkeys(values))


def _storable(path: Path, where: str, key: str, value: str) -> str:
    """Refuse half a surrogate pair, which JSON can spell and UTF-8 cannot."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        what = f"{short_repr(value)} in '{key}' of {where}"
        raise _error(path, f"has {what}, which is no valid Unicode text") from error
    return value


def _check_ids(path: Path, entries: list[Entry]) -> None:
    known: set[str] = set()
    for entry in entries:
        if entry.mid in known:
            raise _error(path, f"has the id {short_repr(entry.mid)} twice")
        known.add(entry.mid)
    for entry in entries:
        for child in entry.child_mids:
            if child not in known:
                parent = f"'child_ids' of node {short_repr(entry.mid)}"
                raise _error(path, f"has no node {short_repr(child)}, which is in {parent}")


def _check_no_cycle(path: Path, entries: list[Entry]) -> None:
    try:
        TopologicalSorter({entry.mid: entry.child_mids for entry in entries}).prepare()
    except CycleError as error:
        names = {entry.mid: entry.name for entry in entries}
        cycle = error.args[1][::-1]  # it comes from child to parent
        shown = [f"{short_repr(names[mid])} ({mid})" for mid in cycle[:_MAX_NAMED]]
        more = [f"... {len(cycle) - _MAX_NAMED} more"] if len(cycle) > _MAX_NAMED else []
        raise _error(path, f"has a cycle: {' > '.join(shown + more)}") from error


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return kinds.get(type(value), "null" if value is None else "a number")
