"""What the finished trainings say: for each set a line a contender."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ablation.comparison import Difference, Measured, difference
from ablation.contenders import ONE_HOT
from ablation.results import Row
from ablation.scores import Replicates
from ablation.sets import EvaluationSet, set_named

# What is reported together: of each, the sets whose folds are averaged.
REPORTED = (("a",), ("b1",), ("b2",), ("b1", "b2"), ("c",), ("d",))


@dataclass(frozen=True)
class Line:
    """One contender on one reported set; the differences are to one-hot training, None of itself."""

    contender: str
    seeds: int
    mAP: Measured  # noqa: N815 - the field's own spelling
    OmAP: Measured
    mAP_difference: Difference | None  # noqa: N815
    OmAP_difference: Difference | None


@dataclass(frozen=True)
class Summary:
    """One reported set."""

    sets: tuple[EvaluationSet, ...]
    rows: tuple[Row, ...]
    lines: tuple[Line, ...]

    @property
    def title(self) -> str:
        """Its name and what it is."""
        names = " and ".join(one.name for one in self.sets)
        titles = dict.fromkeys(one.title for one in self.sets)
        return f"({names}) {' and '.join(titles)}"


Found = Mapping[tuple[str, int, str, int], tuple[Row, Replicates]]


def summarise(found: Found) -> list[Summary]:
    """Summaries of all reported sets of which one-hot training is there.

    `found` is by set, fold, contender and seed. Of a contender the seeds count that all folds of it
    and of one-hot training have.
    """
    summaries = []
    for names in REPORTED:
        sets = tuple(map(set_named, names))
        lines = _lines(sets, found)
        if lines:
            rows = tuple(row for key, (row, _) in found.items() if key[0] in names)
            summaries.append(Summary(sets, rows, lines))
    return summaries


def _lines(sets: tuple[EvaluationSet, ...], found: Found) -> tuple[Line, ...]:
    places = [(one.name, fold) for one in sets for fold in one.folds]
    contenders = list(dict.fromkeys(contender for _, _, contender, _ in found))
    base = _seeds(places, ONE_HOT.name, found)
    lines = []
    for contender in contenders:
        seeds = [seed for seed in _seeds(places, contender, found) if seed in base]
        if not seeds:
            continue
        ours, theirs = (
            [_measured(places, name, seeds, found, at) for at in ("mAP", "OmAP")]
            for name in (contender, ONE_HOT.name)
        )
        pairs = zip(ours, theirs, strict=True)
        gains = [None if contender == ONE_HOT.name else difference(*pair) for pair in pairs]
        lines.append(Line(contender, len(seeds), ours[0], ours[1], gains[0], gains[1]))
    return tuple(lines)


def _seeds(places: Sequence[tuple[str, int]], contender: str, found: Found) -> list[int]:
    """The seeds of which all folds are there."""
    seeds = sorted({seed for _, _, name, seed in found if name == contender})
    return [seed for seed in seeds if all((*place, contender, seed) in found for place in places)]


def _measured(
    places: Sequence[tuple[str, int]], contender: str, seeds: Sequence[int], found: Found, at: str
) -> Measured:
    cells = [[found[*place, contender, seed] for seed in seeds] for place in places]
    values = [[getattr(row, at) for row, _ in fold] for fold in cells]
    replicates = [[getattr(kept, at) for _, kept in fold] for fold in cells]
    return Measured(np.array(values), np.array(replicates))
