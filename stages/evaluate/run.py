"""Judge a run of the workspace, or anybody's scores."""

from pathlib import Path

import numpy as np

from stages.artifacts import write_parquet
from stages.context import StageContext
from stages.errors import UsageError
from stages.evaluate.clip_list import read_clip_list
from stages.evaluate.differences import difference
from stages.evaluate.measure import measure
from stages.evaluate.metrics_table import metrics_columns
from stages.evaluate.pairing import pair
from stages.evaluate.report.gather import gather
from stages.evaluate.report.page import write_report
from stages.evaluate.results import Judged, summarise
from stages.evaluate.scores_file.predictions import Predictions, read_predictions
from stages.evaluate.scores_file.write import write_scores
from stages.evaluate.settings import EvaluateSettings
from stages.evaluate.space import LabelSpace, space_of_files, space_of_workspace
from stages.evaluate.summary import Coverage, EvaluateSummary
from stages.metrics.bootstrap import bootstrap
from stages.reporter import Reporter

_FEW = 50  # clips or groups, below which the intervals were measured to cover too little


def run(settings: EvaluateSettings, context: StageContext) -> EvaluateSummary:
    """Measure the scores of a file, or of a model on the workspace's clips."""
    _check_usage(settings, context.workspace)
    space = _space(settings, context)
    ours = _scored(settings, space, context)
    models = (ours, *_other(settings, space, context.workspace))
    listed = None if settings.clips is None else read_clip_list(settings.clips)
    paired, coverage = pair(models, listed)
    judged = _judge(paired, space, settings, context)
    summaries = _summarise(judged, space, settings, coverage)
    folder = context.staging / "runs" / str(settings.name)
    if settings.scores is None:
        write_scores(folder / "scores.parquet", ours, space.labels, context.lineage)
    columns = metrics_columns(summaries[0], judged[0].measures)
    write_parquet(folder / "metrics.parquet", "metrics", columns, context.lineage)
    write_report(folder / "report.html", gather(judged, summaries, space, settings, context))
    return summaries[0]


def _check_usage(settings: EvaluateSettings, workspace: Path) -> None:
    if settings.against == settings.name:
        raise UsageError(
            f"--against {settings.against} is the run itself", "name another run to compare with"
        )
    if settings.scores is None:
        if settings.ontology is not None or settings.labels is not None:
            raise UsageError(
                "--ontology and --labels go with --scores: a workspace has its own",
                "leave them out, or name a file of --scores",
            )
    elif settings.ontology is None or settings.labels is None:
        raise UsageError(
            "--scores needs --ontology and --labels",
            "name the ontology.json and the CSV of the labels in score order",
        )
    elif (workspace / "runs" / str(settings.name) / "model.safetensors").exists():
        raise UsageError(
            f"the run '{settings.name}' of {workspace} is a model's",
            "keep the results of --scores under another --name",
        )


def _space(settings: EvaluateSettings, context: StageContext) -> LabelSpace:
    if settings.ontology is not None and settings.labels is not None:
        return space_of_files(settings.ontology, settings.labels, context.reporter)
    return space_of_workspace(context.workspace, context.reporter)


def _scored(settings: EvaluateSettings, space: LabelSpace, context: StageContext) -> Predictions:
    if settings.scores is not None:
        return read_predictions(settings.scores, space.labels, settings.group_by)
    from stages.evaluate.score_run import score_run  # torch is heavy

    return score_run(settings, space.labels, context)


def _other(
    settings: EvaluateSettings, space: LabelSpace, workspace: Path
) -> tuple[Predictions, ...]:
    """Scores of the model to compare with, where one is named."""
    path = settings.against_file()
    if settings.against_run() is not None:
        path = workspace / "runs" / str(settings.against) / "scores.parquet"
    return () if path is None else (read_predictions(path, space.labels),)


def _judge(
    models: tuple[Predictions, ...],
    space: LabelSpace,
    settings: EvaluateSettings,
    context: StageContext,
) -> tuple[Judged, ...]:
    """Measure every model, and resample all of them together."""
    measures = tuple(measure(model, space, settings) for model in models)
    groups = None
    if models[0].groups is not None:
        numbers = {name: index for index, name in enumerate(dict.fromkeys(models[0].groups))}
        groups = np.array([numbers[name] for name in models[0].groups], dtype=np.int64)
    drawn = len(models[0].clip_ids) if groups is None else int(groups.max()) + 1
    resamples = _resamples(drawn, settings, context.reporter)
    with context.reporter.task("bootstrap", resamples) as task:
        replicates = bootstrap(
            [model.rankings for model in measures],
            resamples,
            settings.seed,
            groups=groups,
            ratios=[model.ratios for model in measures],
            advance=task.advance,
        )
    return tuple(Judged(*pair) for pair in zip(measures, replicates, strict=True))


def _resamples(drawn: int, settings: EvaluateSettings, reporter: Reporter) -> int:
    """How many resamples to draw of so many clips or groups."""
    what = f"groups by {settings.group_by}" if settings.group_by else "clips"
    if drawn == 1 and settings.resamples:
        reporter.warn(f"one of {what}: every resample would be the same, so there are no intervals")
        return 0
    if drawn < _FEW and settings.resamples:
        reporter.warn(f"only {drawn} {what}: the intervals are too narrow (docs/metrics.md)")
    return settings.resamples


def _summarise(
    judged: tuple[Judged, ...],
    space: LabelSpace,
    settings: EvaluateSettings,
    coverage: Coverage | None,
) -> tuple[EvaluateSummary, ...]:
    """Every model's summary; the first one's with the difference to the other."""
    names = (str(settings.name), str(settings.against))
    ours, *others = (
        summarise(name, model, space, settings, coverage)
        for name, model in zip(names, judged, strict=False)
    )
    if len(judged) > 1:
        compared = difference(names[1], judged[0], judged[1], space)
        ours = ours.model_copy(update={"difference": compared})
    return (ours, *others)
