"""A report's content without an evaluation: sensible numbers from short formulas."""

from collections.abc import Callable, Sequence
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile as sf
from numpy.typing import NDArray

from stages.evaluate.report.content import Confusion, Example, Model, ReportContent
from stages.evaluate.summary import (
    Calibration,
    Difference,
    EvaluateSummary,
    Interval,
    LabelDifference,
    LabelResult,
    Severity,
    ThresholdResult,
    TopK,
)
from stages.lineage import Lineage

_LEVELS = 12
_FAMILIES = ("Music", "Human sounds", "Animal", "Vehicle", "Domestic sounds", "Weather", "Tools")
_KINDS = ("wild", "struck", "blown", "small", "heavy, with a rattle", "distant", "electric")
_SOUNDS = ("hum", "bell", "call", "engine", "song", "knock", "splash of water", "hiss", "drum")


@pytest.fixture(scope="session")
def parse_svg() -> Callable[[str], list[ElementTree.Element]]:
    """Reads the elements that a chart's markup has side by side."""

    def parse(drawn: str) -> list[ElementTree.Element]:
        return list(ElementTree.fromstring(f"<figure>{drawn}</figure>"))  # noqa: S314 - our own

    return parse


@pytest.fixture(scope="session")
def report_content() -> Callable[..., ReportContent]:
    """Builder of a report's content: see `make_content`."""
    return make_content


def make_content(
    models: int = 2,
    labels: int = 61,
    names: Sequence[str] = (),
    clips_train: bool = True,
    intervals: bool = True,
    confusions: int = 8,
    seed: int = 0,
) -> ReportContent:
    """Content of a report of `models` models (1 or 2) over `labels` labels and 12 coarse levels.

    Label i is of family i % 7. Its path is the family, then (but for every fifth label of a family,
    which is the kind of sound itself) the kind, then its name; label 5 has no positives. With r
    normal and t uniform from default_rng(seed): it has 10 ** (1 + 3 t) training clips, a tenth of
    that many positives, AP 0.12 log10(clips) + 0.15 + 0.13 r, OmAP halfway from there to 1; the other
    model has 0.05 r - 0.03 more. Intervals are 0.04 wide on both sides. `names` are those of the
    first labels, for names that nobody should give.
    """
    rng = np.random.default_rng(seed)
    paths = tuple(_path(i, names) for i in range(labels))
    train = np.round(10 ** (1 + 3 * rng.random(labels))).astype(int)
    quality = 0.15 + 0.12 * np.log10(train) + 0.13 * rng.standard_normal(labels)
    of_other = quality - 0.03 + 0.05 * rng.standard_normal(labels)
    half_width = 0.04 if intervals else None
    trained = [int(clips) for clips in train] if clips_train else [None] * labels
    summaries = [
        _summary(name, paths, trained, np.clip(values, 0.01, 0.99), half_width)
        for name, values in (("spa", quality), ("one-hot", of_other))
    ]
    distances = np.arange(_LEVELS)
    counts = [
        np.round(scale * np.exp(-(((distances - 4) / 2.5) ** 2)) * (distances > 0))
        for scale in (1500, 1900)
    ]
    expected = np.exp(-(((distances - 7) / 2) ** 2)) * (distances > 0)
    if models == 2:
        compared = _difference(*summaries, half_width)
        summaries[0] = summaries[0].model_copy(update={"difference": compared})
    sides = [
        Model(summary, count.astype(np.int64), 0.5)
        for summary, count in zip(summaries, counts, strict=True)
    ]
    return ReportContent(
        model=sides[0],
        other=sides[1] if models == 2 else None,
        paths=paths,
        expected_distances=expected / expected.sum(),
        confusions=tuple(
            _confusion(i, paths, models) for i in range(confusions if labels > 1 else 0)
        ),
        lineage=Lineage(
            stage="evaluate",
            settings={"name": "spa", "against": "one-hot", "resamples": 1000, "seed": 0},
            inputs={"clips.parquet": "0" * 64, "runs/spa/model.safetensors": "f" * 64},
            versions={"python": "3.11.2", "numpy": "2.1.0", "spa-audio": "0.2.0"},
        ),
    )


def _path(label: int, names: Sequence[str]) -> tuple[str, ...]:
    within, family = divmod(label, len(_FAMILIES))
    kind = f"{_FAMILIES[family]}, {_KINDS[within // 5 % len(_KINDS)]}"
    own = f"{_KINDS[label % 7].split(',')[0].capitalize()} {_SOUNDS[label % 9]} {label}"
    if label < len(names):
        own = names[label]
    elif within % 5 == 0:
        return _FAMILIES[family], kind
    return _FAMILIES[family], kind, own


def _around(value: float, half_width: float | None, lowest: float = 0.0) -> Interval:
    if half_width is None:
        return Interval(value=value, low=None, high=None)
    return Interval(
        value=value, low=max(lowest, value - half_width), high=min(1.0, value + half_width)
    )


def _label(
    index: int, path: tuple[str, ...], train: int | None, quality: float, half_width: float | None
) -> LabelResult:
    without = index == 5
    measures: dict[str, float | None] = {
        "AP": quality,
        "OmAP": (1 + quality) / 2,
        "AUC": (1 + quality) / 2,
        "d_prime": 3 * quality,
        "best_threshold": 0.4,
        "best_F1": quality,
        "precision": quality,
        "recall": quality * 0.9,
        "F1": quality * 0.95,
        "calibration_error": 0.1 * (1 - quality),
    }
    if without:
        measures = dict.fromkeys(measures)
    return LabelResult(
        label_index=index,
        mid=f"/t/{index}",
        label=path[-1],
        positives=0 if without else max(1, round(100 * quality) if train is None else train // 10),
        clips_train=train,
        AP_interval=None if without else _around(quality, half_width),
        OmAP_interval=None
        if without
        else _around((1 + quality) / 2, half_width / 2 if half_width else None),
        **measures,
    )


def _summary(
    name: str,
    paths: Sequence[tuple[str, ...]],
    train: Sequence[int | None],
    quality: NDArray[np.float64],
    half_width: float | None,
) -> EvaluateSummary:
    per_label = tuple(
        _label(i, path, train[i], float(quality[i]), half_width) for i, path in enumerate(paths)
    )
    mean = float(np.mean([label.AP for label in per_label if label.AP is not None]))
    left = (1 - np.arange(_LEVELS) / (_LEVELS - 1)) ** 1.5
    by_level = tuple(
        _around(float(1 - (1 - mean) * share), half_width and half_width * share / 2)
        for share in left
    )
    return EvaluateSummary(
        name=name,
        source=None,
        split="eval",
        clips=1234,
        clips_without_labels=3,
        labels=len(paths),
        labels_without_positives=int(len(paths) > 5),
        labels_unknown=(),
        coverage=None,
        group_by=None,
        groups=None,
        mAP=mean,
        mAP_interval=_around(mean, half_width),
        micro_mAP=mean,
        OmAP=float(np.mean([level.value for level in by_level])),
        OmAP_interval=_around(float(np.mean([level.value for level in by_level])), half_width),
        OmAP_is_meaningless=False,
        OmAP_by_coarse_level=tuple(level.value for level in by_level),
        OmAP_by_coarse_level_intervals=by_level,
        AUC=(1 + mean) / 2,
        d_prime=3 * mean,
        lwlrap=_around(mean, half_width),
        chance_mAP=1 / len(paths),
        scores_are_probabilities=True,
        thresholds=(
            ThresholdResult(
                threshold=0.5,
                precision_macro=mean,
                recall_macro=mean * 0.9,
                F1_macro=mean * 0.95,
                precision_micro=mean,
                recall_micro=mean * 0.9,
                F1_micro=mean * 0.95,
            ),
        ),
        top_k=(TopK(k=1, accuracy=_around(mean, half_width)),),
        calibration=Calibration(macro=0.04, pooled=0.02),
        severity=Severity(
            threshold=0.5,
            matched=False,
            false_positives=5000,
            mean_distance=Interval(value=4.2, low=4.1, high=4.4),
            top1_mean_distance=Interval(value=1.9, low=1.7, high=2.1),
            random_mean_distance=6.8,
        ),
        disconnected_label_pairs=0,
        per_label=per_label,
        difference=None,
        report="runs/spa/report.html",
    )


def _difference(
    model: EvaluateSummary, other: EvaluateSummary, half_width: float | None
) -> Difference:
    def less(a: float | None, b: float | None) -> Interval | None:
        return None if a is None or b is None else _around(a - b, half_width, lowest=-1.0)

    per_label = tuple(
        LabelDifference(
            label_index=ours.label_index,
            mid=ours.mid,
            label=ours.label,
            other_AP=theirs.AP,
            AP=less(ours.AP, theirs.AP),
            other_OmAP=theirs.OmAP,
            OmAP=less(ours.OmAP, theirs.OmAP),
        )
        for ours, theirs in zip(model.per_label, other.per_label, strict=True)
    )
    won = tuple(label.mid for label in per_label if label.AP and (label.AP.low or 0) > 0)
    lost = tuple(label.mid for label in per_label if label.AP and (label.AP.high or 0) < 0)
    return Difference(
        against=other.name,
        other_mAP=other.mAP_interval,
        other_OmAP=other.OmAP_interval,
        mAP=_around(model.mAP - other.mAP, half_width and half_width / 4, -1.0),
        OmAP=_around(model.OmAP - other.OmAP, half_width and half_width / 4, -1.0),
        OmAP_by_coarse_level=tuple(
            _around(a - b, half_width and half_width / 8, -1.0)
            for a, b in zip(model.OmAP_by_coarse_level, other.OmAP_by_coarse_level, strict=True)
        ),
        severity=Interval(value=-0.3, low=-0.5, high=-0.1),
        top1_severity=Interval(value=-0.1, low=-0.3, high=0.1),
        per_label=per_label,
        least_positives=20,
        labels_compared=len(per_label),
        AP_won=won,
        AP_lost=lost,
        OmAP_won=won,
        OmAP_lost=lost,
        expected_by_chance=0.05 * len(per_label),
    )


def _confusion(rank: int, paths: Sequence[tuple[str, ...]], models: int) -> Confusion:
    true_label, false_label = rank % len(paths), (rank + 1) % len(paths)
    return Confusion(
        true_label=true_label,
        false_label=false_label,
        distance=6 - rank % 5,
        clips=100 - 3 * rank,
        count=40 - 3 * rank,
        other_count=45 - 3 * rank if models == 2 else None,
        mean_score=0.7,
        example=Example(
            clip_id=f"clip-{rank}",
            labels=(paths[true_label][-1],),
            score=0.9 - 0.01 * rank,
            audio=_beep(220.0 * (1 + rank)) if rank % 3 < 2 else None,
        ),
    )


def _beep(pitch_hz: float) -> bytes:
    """A quarter of a second of a sine, as MP3."""
    file = BytesIO()
    waveform = 0.3 * np.sin(2 * np.pi * pitch_hz * np.arange(8000) / 32000)
    sf.write(file, waveform, 32000, format="MP3")
    return file.getvalue()
