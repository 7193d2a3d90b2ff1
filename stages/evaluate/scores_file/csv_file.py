"""Scores from a CSV or TSV file: a list in one cell a clip, or one column a label."""

from array import array
from pathlib import Path

import numpy as np

from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.columns import Columns, check_clip_ids, check_width, targets_of
from stages.evaluate.scores_file.csv_header import find_columns
from stages.evaluate.scores_file.csv_rows import read_rows


def read_csv_scores(path: Path, labels: Labels, group_by: str | None) -> Columns:
    """Read clip_id, scores and targets; whole numbers in `targets` are indices, others mids.

    Raises:
        ArtifactError: see `read_predictions`.
    """
    rows = read_rows(path)
    _, header = next(rows, (0, []))
    places = find_columns(path, [name.strip() for name in header], labels, group_by)
    label_indices = {mid: index for index, mid in enumerate(labels.mids)}
    label_indices |= {str(index): index for index in range(len(labels))}
    clip_ids: list[str] = []
    groups: list[str] = []
    scores, lengths, indices = array("d"), array("q"), array("q")
    for line, cells in rows:
        clip_ids.append(cells[places.clip_id].strip())
        where = f"{path} line {line}: clip {clip_ids[-1]!r}"
        if isinstance(places.scores, int):
            texts = _listed(where, cells[places.scores])
            check_width(path, clip_ids[-1], len(texts), len(labels))
        else:
            texts = [cells[place] for place in places.scores]
        scores.extend(_numbers(where, texts, labels))
        found = _targets(where, cells[places.targets], label_indices)
        lengths.append(len(found))
        indices.extend(found)
        if places.group is not None:
            groups.append(_group(where, cells[places.group].strip(), header[places.group]))
    check_clip_ids(path, clip_ids)
    targets = targets_of(path, clip_ids, np.array(lengths), np.array(indices), labels)
    return Columns(
        clip_ids,
        np.frombuffer(scores).reshape(-1, len(labels)),
        targets,
        None if group_by is None else groups,
    )


def _listed(where: str, cell: str) -> list[str]:
    """The numbers or mids of a cell, as Python, numpy, pandas or a person may have written them."""
    text = cell.strip()
    if text[:1] + text[-1:] in {"[]", "()"}:
        text = text[1:-1]
    if "..." in text:
        raise ArtifactError(
            f"{where} has '...' in its list: numpy has shortened it when it was printed",
            "save the whole arrays, as npz or Parquet",
        )
    return text.replace(",", " ").replace(";", " ").split()


def _numbers(where: str, texts: list[str], labels: Labels) -> list[float]:
    """The numbers, one a label. Python would also read 1_000, and digits of other scripts."""
    joined = "".join(texts)
    if "_" not in joined and joined.isascii():
        try:
            return list(map(float, texts))
        except ValueError:
            pass  # which of them is found below
    label = next(index for index, text in enumerate(texts) if not _is_number(text))
    raise ArtifactError(
        f"{where} has {texts[label][:40]!r} for label {label} ({labels.mids[label]!r}), not a number",
        "write numbers with a decimal point, none without a value; a list in one cell as Python's"
        ' " ".join(map(str, numbers)) does',
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text and text.isascii()


def _targets(where: str, cell: str, label_indices: dict[str, int]) -> list[int]:
    texts = _listed(where, cell)
    try:
        return [label_indices[text] for text in texts]
    except KeyError as error:
        text, most = error.args[0], max(label_indices.values())
        raise ArtifactError(
            f"{where} has the target {text[:40]!r}, which is neither an index from 0 to {most} nor a mid",
            "give the indices or mids of the clip's labels, parted by spaces, as Python's"
            ' " ".join(map(str, indices)) does; nothing for no label',
        ) from error


def _group(where: str, text: str, column: str) -> str:
    if not text:
        raise ArtifactError(f"{where} has nothing in column {column!r}", "give every clip a group")
    return text
