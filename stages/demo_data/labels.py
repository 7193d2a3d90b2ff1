"""The demonstration's labels: AudioSet's names, ids and order, and which label includes which."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from stages.demo_data.voices import all_voices


@dataclass(frozen=True)
class Label:
    """A label of the data set, and the labels of the set that are its ancestors."""

    index: int
    mid: str
    name: str
    ancestors: frozenset[str]


def ontology_json() -> str:
    """The demonstration's ontology: AudioSet's nodes and relations, described in other words."""
    return files(__package__).joinpath("ontology.json").read_text(encoding="utf-8")


@cache
def all_labels() -> dict[str, Label]:
    """The labels by name, in the order of the table of voices."""
    nodes = json.loads(ontology_json())
    names = {node["id"]: node["name"] for node in nodes}
    mids = {name: mid for mid, name in names.items()}
    parents: dict[str, list[str]] = {mid: [] for mid in names}
    for node in nodes:
        for child in node["child_ids"]:
            parents[child].append(node["id"])
    wanted = dict.fromkeys(voice.label for voice in all_voices())
    return {
        name: Label(
            index=index,
            mid=mids[name],
            name=name,
            ancestors=frozenset(names[mid] for mid in _above(mids[name], parents)) & wanted.keys(),
        )
        for index, name in enumerate(wanted)
    }


def _above(mid: str, parents: dict[str, list[str]]) -> Iterator[str]:
    for parent in parents[mid]:
        yield parent
        yield from _above(parent, parents)


def labels_of_sources(sources: Iterable[str]) -> tuple[Label, ...]:
    """The labels of a clip with these sources, in label order: their own and their ancestors."""
    labels = all_labels()
    found = {name for source in sources for name in (source, *labels[source].ancestors)}
    return tuple(label for name, label in labels.items() if name in found)
