"""What `spa evaluate` says when it is done: every number of `--json`."""

from stages.settings import StageSummary


class Interval(StageSummary):
    """A value with its 95 % bootstrap interval over clips (null without resamples)."""

    value: float
    low: float | None
    high: float | None


class ThresholdResult(StageSummary):
    """Precision, recall and F1 of the tags that score at least `threshold`.

    Macro: the mean over labels with positives, a precision of nothing taken for 0. Micro: of all
    tags together.
    """

    threshold: float
    precision_macro: float
    recall_macro: float
    F1_macro: float
    precision_micro: float | None
    recall_micro: float
    F1_micro: float


class TopK(StageSummary):
    """Share of clips whose one label is among the `k` highest scores."""

    k: int
    accuracy: Interval


class Calibration(StageSummary):
    """Expected calibration error of the scores as probabilities, in 15 bins of equal width.

    `macro` is the mean over labels with positives, `pooled` that of all scores together.
    """

    macro: float
    pooled: float


class Severity(StageSummary):
    """How far off the mistakes are, in edges of the ontology; over clips with labels.

    A false positive is confident from the score `threshold` on: the first of `--threshold`, or, where
    the scores of any model compared are no probabilities, `matched`: the highest score that as many
    tags reach as are true. Its distance is that to the nearest label that the clip has.
    `mean_distance` is null where there are none. `top1_mean_distance` is of the highest-scored tag of
    each clip, 0 where it is right. `random_mean_distance` is what tags drawn at random would have.
    """

    threshold: float
    matched: bool
    false_positives: int
    mean_distance: Interval | None
    top1_mean_distance: Interval
    random_mean_distance: float | None


class Coverage(StageSummary):
    """How much of the clips that `--clips` lists was evaluated.

    `listed` clips are named, of which `evaluated` have scores by every model; `unscored` have none
    by the evaluated model, `unscored_by_other` none by the one compared with; `not_listed` clips
    have scores but are not named, and were left out.
    """

    listed: int
    evaluated: int
    unscored: int
    unscored_by_other: int | None
    not_listed: int
    share: float


class LabelResult(StageSummary):
    """One label's measures; null where a measure is not defined, or d' infinite.

    `best_threshold` is the score from which on F1 is highest on these clips: chosen on them, so
    `best_F1` flatters. `precision`, `recall` and `F1` are those at the first of `--threshold`.
    `clips_train` is how many training clips have the label, where that is known.
    """

    label_index: int
    mid: str
    label: str
    positives: int
    clips_train: int | None
    AP: float | None
    AP_interval: Interval | None
    OmAP: float | None
    OmAP_interval: Interval | None
    AUC: float | None
    d_prime: float | None
    best_threshold: float | None
    best_F1: float | None  # noqa: N815 - the field's own spelling
    precision: float | None
    recall: float | None
    F1: float | None
    calibration_error: float | None


class LabelDifference(StageSummary):
    """One label's measures by this model minus those by the other; null where not defined."""

    label_index: int
    mid: str
    label: str
    other_AP: float | None  # noqa: N815
    AP: Interval | None
    other_OmAP: float | None  # noqa: N815
    OmAP: Interval | None


class Difference(StageSummary):
    """This model minus the other, whose own measures are `other_...`; resampled together.

    Of the `labels_compared` labels with at least `least_positives` positives, one is won or lost (its
    mid is listed) where the interval of its difference lies wholly above or below 0.
    `expected_by_chance` is how many labels that would be, won and lost together, with two models that
    are equally good.
    """

    against: str
    other_mAP: Interval  # noqa: N815
    other_OmAP: Interval  # noqa: N815
    mAP: Interval  # noqa: N815 - the field's own spelling
    OmAP: Interval
    OmAP_by_coarse_level: tuple[Interval, ...]
    severity: Interval | None
    top1_severity: Interval
    per_label: tuple[LabelDifference, ...]
    least_positives: int
    labels_compared: int
    AP_won: tuple[str, ...]
    AP_lost: tuple[str, ...]
    OmAP_won: tuple[str, ...]
    OmAP_lost: tuple[str, ...]
    expected_by_chance: float


class EvaluateSummary(StageSummary):
    """The measures over all labels, and per label.

    `source` is the file of scores, or the model that is no run here; null for a run. `labels_unknown`
    lists the ids of the labels that such a model does not know: it counts as never giving them.

    `group_by` is what the bootstrap drew: null for single clips, else groups of clips, of which
    there are `groups`. `calibration` and `thresholds` are null where the scores are no
    probabilities, `top_k` unless every clip has one label. `report` is the path of report.html in
    the workspace.
    """

    name: str
    source: str | None
    split: str | None
    clips: int
    clips_without_labels: int
    labels: int
    labels_without_positives: int
    labels_unknown: tuple[str, ...]
    coverage: Coverage | None
    group_by: str | None
    groups: int | None
    mAP: float  # noqa: N815
    mAP_interval: Interval  # noqa: N815
    micro_mAP: float  # noqa: N815
    OmAP: float
    OmAP_interval: Interval
    OmAP_is_meaningless: bool
    OmAP_by_coarse_level: tuple[float, ...]
    OmAP_by_coarse_level_intervals: tuple[Interval, ...]
    AUC: float | None
    d_prime: float | None
    lwlrap: Interval
    chance_mAP: float  # noqa: N815
    scores_are_probabilities: bool
    thresholds: tuple[ThresholdResult, ...] | None
    top_k: tuple[TopK, ...] | None
    calibration: Calibration | None
    severity: Severity
    disconnected_label_pairs: int
    per_label: tuple[LabelResult, ...]
    difference: Difference | None
    report: str
