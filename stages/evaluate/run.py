"""Judge a run of the workspace, or anybody's scores."""

import json
from pathlib import Path

from stages.artifacts import write_parquet
from stages.context import StageContext
from stages.errors import UsageError
from stages.evaluate.clip_list import read_clip_list
from stages.evaluate.differences import difference
from stages.evaluate.judge import judge
from stages.evaluate.metrics_table import metrics_columns
from stages.evaluate.other import read_other
from stages.evaluate.pairing import pair
from stages.evaluate.report.gather import gather
from stages.evaluate.report.page import write_report
from stages.evaluate.results import Judged, summarise
from stages.evaluate.scores_file.predictions import Predictions, read_predictions
from stages.evaluate.scores_file.write import write_scores
from stages.evaluate.settings import EvaluateSettings
from stages.evaluate.space import LabelSpace, space_of_files, space_of_workspace
from stages.evaluate.summary import Coverage, EvaluateSummary
from stages.records import read_record


def run(settings: EvaluateSettings, context: StageContext) -> EvaluateSummary:
    """Measure the scores of a file, or of a model on the workspace's clips."""
    _check_usage(settings, context.workspace)
    space = _space(settings, context)
    ours = _scored(settings, space, context)
    models = (ours, *read_other(settings, space.labels, context))
    listed = None if settings.clips is None else read_clip_list(settings.clips)
    paired, coverage = pair(models, listed, space.labels)
    judged = judge(paired, space, settings, context)
    summaries = _summarise(judged, space, settings, coverage)
    _warn_of_replaced(summaries[0], context)
    folder = context.staging / "runs" / str(settings.name)
    if settings.scores is None:
        write_scores(folder / "scores.parquet", ours, space.labels, context.lineage)
    columns = metrics_columns(summaries[0], judged[0].measures)
    stated = {"labels": json.dumps(space.labels.mids)}
    write_parquet(folder / "metrics.parquet", "metrics", columns, context.lineage, extra=stated)
    write_report(folder / "report.html", gather(judged, summaries, space, settings, context))
    return summaries[0]


def _check_usage(settings: EvaluateSettings, workspace: Path) -> None:
    if settings.against == settings.name:
        raise UsageError(
            f"--against {settings.against} is the run itself", "name another run to compare with"
        )
    given = "--scores" if settings.scores is not None else "--model"
    if settings.scores is not None and settings.model is not None:
        raise UsageError("both --scores and --model are given", "leave one out")
    of_a_run = (workspace / "runs" / str(settings.name) / "model.safetensors").exists()
    if of_a_run and not settings.judges_a_run:
        raise UsageError(
            f"the run '{settings.name}' of {workspace} is a model's",
            f"keep the results of {given} under another --name",
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
    elif settings.split != "eval":
        raise UsageError("--split is for models: a file of scores is one split", "leave it out")


def _warn_of_replaced(summary: EvaluateSummary, context: StageContext) -> None:
    """Two files of one name are kept under one name."""
    record = read_record(context.workspace, f"evaluate-{summary.name}")
    before = record.summary.get("source") if record else None
    if before is not None and before != summary.source:
        context.reporter.warn(
            f"the results of {before} in runs/{summary.name} are replaced by those of"
            f" {summary.source or 'the run'}: --name keeps both"
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
