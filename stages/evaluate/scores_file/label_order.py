"""Hold the labels that a file of scores states against those that it is evaluated with."""

from collections.abc import Sequence
from pathlib import Path

from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.wording import counted, quoted


def check_label_order(path: Path, stated: Sequence[str], labels: Labels) -> None:
    """Check that the labels that a file states, by mid or display name, are `labels` in order.

    Nothing is put into another order: a name that two labels share could not be told apart, and
    targets that are indices would not follow.

    Raises:
        ArtifactError: naming the first label that differs, or that has a name which is not its own.
    """
    indices = _indices_by_name(labels)
    for index, name in enumerate(stated):
        expected = labels.mids[index] if index < len(labels) else None
        if expected is None or index not in indices.get(name, ()):
            raise _other_labels(path, stated, index, labels, indices)
        if len(indices[name]) > 1 and name != expected:
            twin = next(other for other in indices[name] if other != index)
            raise ArtifactError(
                f"{path}: label {index} is {name!r}, as is label {twin}: they cannot be told apart",
                f"name them by their mids, {expected!r} and {labels.mids[twin]!r}",
            )
    if len(stated) < len(labels):
        raise _other_labels(path, stated, len(stated), labels, indices)


def _indices_by_name(labels: Labels) -> dict[str, list[int]]:
    """Which labels a name may stand for: one, but for names that several share."""
    indices: dict[str, list[int]] = {}
    for index, names in enumerate(zip(labels.mids, labels.display_names, strict=True)):
        for name in set(names):
            indices.setdefault(name, []).append(index)
    return indices


def _other_labels(
    path: Path, stated: Sequence[str], index: int, labels: Labels, indices: dict[str, list[int]]
) -> ArtifactError:
    theirs = quoted(stated[index]) if index < len(stated) else "missing"
    known = index < len(labels)
    ours = f"{labels.mids[index]!r} ({labels.display_names[index]})" if known else "none"
    message = f"{path}: its label {index} is {theirs}, that of the label list is {ours}"
    if len(stated) != len(labels):
        message += f"; it has {counted(len(stated), 'label')}, the list {len(labels)}"
    elif {place for name in stated for place in indices.get(name, ())} == set(range(len(labels))):
        return ArtifactError(
            f"{message}; they are the same labels in another order",
            "bring scores and targets into the order of the list, or give the list in the file's order",
        )
    return ArtifactError(message, "give the list of the labels that the scores were made for")
