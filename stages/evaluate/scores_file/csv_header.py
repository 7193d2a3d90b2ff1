"""Which column of a CSV file is which."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.label_order import check_label_order
from stages.evaluate.scores_file.wording import counted, group_step, listed, quoted

_FORM = (
    "give the columns clip_id, targets and scores (the numbers of a clip in one cell), or in place of"
    " scores one column a label, headed by its mid or name; commas part the cells of .csv, tabs of .tsv"
)
_DELIMITERS = {
    ";": ("semicolons", "save it with commas, and numbers with a decimal point"),
    "\t": ("tabs", "give it the suffix .tsv"),
    ",": ("commas", "give it the suffix .csv"),
}


@dataclass(frozen=True)
class Places:
    """In which columns a row has what; `scores` is one column, or one a label."""

    clip_id: int
    targets: int
    group: int | None
    scores: int | list[int]


def find_columns(path: Path, header: list[str], labels: Labels, group_by: str | None) -> Places:
    """Find the columns by their names.

    Raises:
        ArtifactError: one is missing or there twice, or the columns of labels are not `labels`.
    """
    _check_delimiter(path, header)
    in_one_cell = "scores" in header
    for name in ["clip_id", "targets", *(["scores"] if in_one_cell else [])]:
        if header.count(name) != 1:
            raise ArtifactError(f"{path} has the columns {listed(header)}, not one {name!r}", _FORM)
    if group_by is not None:
        _check_group(path, header, labels, group_by)
    scores: int | list[int] = header.index("scores") if in_one_cell else []
    if not in_one_cell:
        needed = {"clip_id", "targets", group_by}
        scores = [place for place, name in enumerate(header) if name not in needed]
        _check_labels(path, header, scores, labels)
    group = header.index(group_by) if group_by else None
    return Places(header.index("clip_id"), header.index("targets"), group, scores)


def _check_delimiter(path: Path, header: Sequence[str]) -> None:
    """Check that the only column is not all of them, parted by something else."""
    for mark, (name, next_step) in _DELIMITERS.items():
        if len(header) == 1 and mark in header[0]:
            raise ArtifactError(
                f"{path} has the one column {quoted(header[0])}: is it parted by {name}?", next_step
            )


def _check_group(path: Path, header: Sequence[str], labels: Labels, group_by: str) -> None:
    taken = {"clip_id", "targets", "scores"}
    if "scores" not in header:
        taken |= {*labels.mids, *labels.display_names}
    possible = [name for name in header if name and name not in taken and header.count(name) == 1]
    if group_by != "clip_id" and group_by not in possible:
        what = f"{path} has the columns {listed(header)}, not one {group_by!r}"
        if header.count(group_by) == 1:
            what = f"{path}: column {group_by!r} has the scores of a label"
        raise ArtifactError(what, group_step(possible))


def _check_labels(path: Path, header: list[str], places: list[int], labels: Labels) -> None:
    """Check that the columns at `places` are those of the labels, in order, and no others."""
    known = {*labels.mids, *labels.display_names}
    stated = [header[place] for place in places]
    extra = [name for name in stated if name not in known]
    if len(extra) == len(stated):
        raise ArtifactError(
            f"{path} has no scores: its columns are {listed(header)}, none 'scores' or of a label",
            _FORM,
        )
    if 0 in places and (not header[0] or header[0].startswith("Unnamed: ")):
        raise ArtifactError(
            f"{path}: its first column has no name, as the index that pandas writes",
            "write it with to_csv(FILE, index=False), or drop that column",
        )
    named = set(stated)
    labelled = zip(labels.mids, labels.display_names, strict=True)
    if extra and all(not named.isdisjoint(names) for names in labelled):
        raise ArtifactError(
            f"{path} has {counted(len(extra), 'column')} beside those of the {len(labels)} labels:"
            f" {listed(extra)}",
            "drop what is no score, or name it in --group-by; if these are labels too, give the list"
            " of all labels that the scores were made for",
        )
    check_label_order(path, stated, labels)
