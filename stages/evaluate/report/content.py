"""What the report shows, gathered before a line of it is written."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stages.evaluate.confusions import LabelConfusion
from stages.evaluate.summary import EvaluateSummary
from stages.lineage import Lineage


@dataclass(frozen=True)
class Example:
    """A clip in which a confusion was made.

    `score` is that of the false tag. `audio` is the clip as MP3, None where the audio is not at hand.
    """

    clip_id: str
    labels: tuple[str, ...]
    score: float
    audio: bytes | None


@dataclass(frozen=True)
class Confusion(LabelConfusion):
    """With the clip that shows it."""

    example: Example


@dataclass(frozen=True)
class Model:
    """One model's side of the report.

    Attributes:
        summary: all its measures.
        false_positives: (levels,) int64, its confident false positives by distance, in edges.
        threshold: the score from which on they are confident.
    """

    summary: EvaluateSummary
    false_positives: NDArray[np.int64]
    threshold: float


@dataclass(frozen=True)
class ReportContent:
    """All of a report.

    Attributes:
        model: the evaluated model; its summary has the difference, where there is one.
        other: the model compared with.
        paths: by label index, the names from a root of the ontology down to the label.
        expected_distances: (levels,) float64, shares of the false positives that tags drawn at
            random would have at each distance; sums to 1.
        confusions: those that matter, the worst first.
        lineage: what the numbers were made from, with which settings.
    """

    model: Model
    other: Model | None
    paths: tuple[tuple[str, ...], ...]
    expected_distances: NDArray[np.float64]
    confusions: tuple[Confusion, ...]
    lineage: Lineage
