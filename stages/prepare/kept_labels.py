"""Which labels the user wants to keep, and in which order."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ontology.nodes import Node
from stages.errors import ArtifactError
from stages.prepare.class_map import class_key
from stages.prepare.csv_file import read_lines, read_table, read_text_lines
from stages.prepare.listing import Label

_NEXT_STEP = "correct the file given with --labels"


def read_kept_labels(
    path: Path, label_list: Sequence[Label] | None, ontology_nodes: Sequence[Node]
) -> tuple[Label, ...]:
    """Read a CSV with a column `mid`, or a file with an id or a name a line.

    Names are those of the data set's label list, where it has one, else of the ontology.

    Raises:
        ArtifactError: it cannot be read, has a line that is no text, names a label that is not
            there, or one twice.
    """
    known = _by_id_and_name(label_list or [Label(node.mid, node.name) for node in ontology_nodes])
    kept: dict[str, Label] = {}
    for line, written in _entries(path):
        label = known.get(written) or known.get(class_key(written))
        if label is None or label.mid in kept:
            why = "no label of the data set" if label is None else "there twice"
            raise ArtifactError(f"{path} line {line}: {written[:100]!r} is {why}", _NEXT_STEP)
        kept[label.mid] = label
    if not kept:
        raise ArtifactError(f"{path} names no label", _NEXT_STEP)
    return tuple(kept.values())


def _entries(path: Path) -> Iterator[tuple[int, str]]:
    header = next((fields for _, fields in read_lines(path)), [])
    if "mid" in header:
        return _mids(path)
    return read_text_lines(path)


def _mids(path: Path) -> Iterator[tuple[int, str]]:
    for line, row in read_table(path, ("mid",)):
        if row is None:
            raise ArtifactError(f"{path} line {line}: no UTF-8 text, or no mid", _NEXT_STEP)
        yield line, row["mid"]


def _by_id_and_name(labels: Iterable[Label]) -> dict[str, Label]:
    """Labels by id and by name; a name that two labels share says nothing."""
    names: dict[str, list[Label]] = {}
    for label in labels:
        names.setdefault(class_key(label.display_name), []).append(label)
        names[label.mid] = [label]
    return {name: its[0] for name, its in names.items() if len(its) == 1}
