"""From the labels that a data set writes, names or ids, to ontology ids."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ontology.nodes import Node
from stages.errors import ArtifactError
from stages.prepare.csv_file import read_table

_MAPS = Path(__file__).with_name("class_maps")
_MOST_COMMAS = 16  # in one name; AudioSet's have up to 2

Mids = tuple[str, ...]


def class_key(name: str) -> str:
    """Bring a label to the form that is compared: no case, and '_' and ' ' are alike.

    An id such as /m/05tny_ is compared as it is.
    """
    if name.startswith("/"):
        return name.strip()
    return " ".join(unicodedata.normalize("NFC", name).replace("_", " ").casefold().split())


def read_class_map(path: Path) -> dict[str, Mids]:
    """Read a CSV of `class,mids`; several mids are parted by ';' or stand in rows of their own.

    Raises:
        ArtifactError: it cannot be read, or a row has no class or no mids.
    """
    found: dict[str, Mids] = {}
    for line, row in read_table(path, ("class", "mids")):
        mids = tuple(mid.strip() for mid in row["mids"].split(";") if mid.strip()) if row else ()
        if row is None or not mids or not class_key(row["class"]):
            raise ArtifactError(f"{path} line {line} needs a class and its mids")
        key = class_key(row["class"])
        found[key] = (*found.get(key, ()), *mids)
    return found


def resolve_labels(
    labels: Iterable[str], own_map: Path | None, project_map: str | None, nodes: Sequence[Node]
) -> dict[str, Mids]:
    """Ontology ids of every label that has any, in the ontology's order; the others are left out.

    A label is looked up in the user's own map, then in the project's map for the data set, as far
    as the ontology has its ids, then among the ontology's ids, then among its names. A label of
    none of them that holds commas is read as several, if each of them is known: a name may hold
    commas itself ("Male speech, man speaking"), so the longest name that fits is taken first.

    Raises:
        ArtifactError: the user's map names an id that the ontology lacks for one of `labels`.
    """
    place = {node.mid: index for index, node in enumerate(nodes)}
    own = {} if own_map is None else read_class_map(own_map)
    known = _by_name(nodes) | {node.mid: (node.mid,) for node in nodes}
    if project_map is not None:
        carried = read_class_map(_MAPS / f"{project_map}.csv")
        known |= {key: mids for key, mids in carried.items() if place.keys() >= set(mids)}
    known |= own
    found: dict[str, Mids] = {}
    for label in labels:
        mids = _look_up(label, known) or _look_up_parts(label, known)
        lacking = set(mids) - place.keys()
        if lacking:
            raise ArtifactError(
                f"{own_map}: {label!r} maps to {min(lacking)!r}, which the ontology lacks",
                "correct --class-map",
            )
        if mids:
            found[label] = tuple(sorted(set(mids), key=place.__getitem__))
    return found


def _look_up(label: str, known: Mapping[str, Mids]) -> Mids:
    return known.get(class_key(label)) or known.get(label) or ()


def _look_up_parts(label: str, known: Mapping[str, Mids]) -> Mids:
    """Ids of all the labels that commas part; none where one of them is not known."""
    pieces = label.split(",")
    found: Mids = ()
    while pieces:
        for count in range(min(len(pieces), _MOST_COMMAS + 1), 0, -1):
            mids = _look_up(",".join(pieces[:count]), known)
            if mids:
                found += mids
                del pieces[:count]
                break
        else:
            return ()
    return found


def _by_name(nodes: Sequence[Node]) -> dict[str, Mids]:
    """Ids by a node's name or id. Where two nodes share one it says nothing, so neither is there."""
    names: dict[str, set[str]] = {}
    for node in nodes:
        for key in (class_key(node.name), class_key(node.mid)):
            names.setdefault(key, set()).add(node.mid)
    return {name: tuple(mids) for name, mids in names.items() if len(mids) == 1}


def flat_ontology(labels: Iterable[str]) -> list[dict[str, object]]:
    """Nodes of an ontology without edges, in AudioSet's JSON form: one a label, in sorted order.

    The id and the name of a node are the label as it is written; of several ways to write one the
    first in sorted order is taken.
    """
    written: dict[str, str] = {}
    for label in sorted(labels):
        written.setdefault(class_key(label), label)
    return [
        {"id": mid, "name": mid, "description": "", "child_ids": [], "restrictions": []}
        for mid in sorted(written.values())
    ]
