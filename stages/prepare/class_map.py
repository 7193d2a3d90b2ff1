"""From the class names of a data set to ontology ids."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ontology.nodes import Node
from stages.errors import ArtifactError, SpaError
from stages.prepare.csv_file import read_table
from stages.prepare.listing import Listing

_NEXT_STEP = "give a CSV with the columns class,mids with --class-map"
_MAPS = Path(__file__).with_name("class_maps")
_SHOWN = 5

Mids = tuple[str, ...]


def class_key(name: str) -> str:
    """Bring a class name to the form that is compared: no case, and '_' and ' ' are alike."""
    return " ".join(name.replace("_", " ").casefold().split())


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


def resolve_classes(
    listing: Listing, own_map: Path | None, nodes: Sequence[Node]
) -> dict[str, Mids]:
    """Ontology ids of every class of `listing`, in the ontology's order.

    A class is looked up in the user's own map, then in the project's map for the data set, then
    among the names of the ontology, then among its ids.

    Raises:
        ArtifactError: a map names a mid that the ontology lacks.
        SpaError: a class has no place.
    """
    maps = [read_class_map(own_map)] if own_map is not None else []
    if listing.class_map is not None:
        maps.append(read_class_map(_MAPS / f"{listing.class_map}.csv"))
    maps += [_by_name(nodes), {class_key(node.mid): (node.mid,) for node in nodes}]
    classes = {name: clip.path for clip in reversed(listing.clips) for name in clip.labels}
    found: dict[str, Mids] = {}
    unknown = []
    for name, path in sorted(classes.items()):
        mids = _look_up(class_key(name), maps)
        if mids is None:
            unknown.append(f"{name!r} (of {path})")
        else:
            found[name] = mids
    if unknown:
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        shown = ", ".join(unknown[:_SHOWN])
        raise SpaError(f"no ontology id is known for the class {shown}{more}", _NEXT_STEP)
    return {name: _in_order(name, mids, nodes) for name, mids in found.items()}


def _look_up(key: str, maps: Iterable[Mapping[str, Mids]]) -> Mids | None:
    return next((known[key] for known in maps if key in known), None)


def _by_name(nodes: Sequence[Node]) -> dict[str, Mids]:
    """Ids by node name. Where two nodes share a name it says nothing, so neither is there."""
    names: dict[str, Mids] = {}
    for node in nodes:
        names[class_key(node.name)] = (*names.get(class_key(node.name), ()), node.mid)
    return {name: mids for name, mids in names.items() if len(mids) == 1}


def _in_order(name: str, mids: Mids, nodes: Sequence[Node]) -> Mids:
    lacking = set(mids) - {node.mid for node in nodes}
    if lacking:
        what = f"the class {name!r} maps to {min(lacking)!r}, which the ontology lacks"
        raise ArtifactError(what, _NEXT_STEP)
    return tuple(node.mid for node in nodes if node.mid in mids)
