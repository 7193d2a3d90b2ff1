"""The labels' paths as a tree, each node with its measure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from statistics import fmean

_MOST_NAMES = 12  # of a path: more rings than that are too thin to be seen


@dataclass
class Node:
    """A name on a path, and what hangs below it.

    `label` is the index of the label that ends here, None for a node that is only on the way.
    """

    names: tuple[str, ...]
    label: int | None = None
    children: list["Node"] = field(default_factory=list)

    @property
    def leaves(self) -> int:
        """How many ends there are below it, itself where it is one: its share of the circle."""
        return sum(child.leaves for child in self.children) or 1

    def rings(self) -> list[int]:
        """Of each ring below it, the nearest first, how many leaves its nodes have together."""
        below = [child.rings() for child in self.children]
        farther = [sum(ring) for ring in zip_longest(*below, fillvalue=0)]
        return [self.leaves, *farther] if self.children else []

    def labels(self) -> Iterator[int]:
        """The labels here and below."""
        if self.label is not None:
            yield self.label
        for child in self.children:
            yield from child.labels()


def build_tree(paths: Sequence[tuple[str, ...]]) -> Node:
    """A nameless root above the paths; the label i ends where path i does.

    Every beginning of a path is one node. Of labels with the same path the first takes the node, and
    each other has one of its own beside it. A path of more than 12 names lacks its middle.
    """
    root = Node(())
    found: dict[tuple[str, ...], Node] = {(): root}
    for label, whole in enumerate(paths):
        path = whole if len(whole) <= _MOST_NAMES else (*whole[: _MOST_NAMES - 1], whole[-1])
        for length in range(1, len(path) + 1):
            names = path[:length]
            if names not in found:
                found[names] = Node(names)
                found[names[:-1]].children.append(found[names])
        node = found[path]
        if node.label is None:
            node.label = label
        else:
            found[path[:-1]].children.append(Node(path, label))
    return root


def node_value(node: Node, values: Sequence[float | None]) -> float | None:
    """The label's own value; of a node that is none, the mean over the labels below that have one."""
    if node.label is not None:
        return values[node.label]
    below = [value for label in node.labels() if (value := values[label]) is not None]
    return fmean(below) if below else None
