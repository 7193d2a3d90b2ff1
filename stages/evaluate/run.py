"""Judge a run of the workspace, or anybody's scores."""

from stages.artifacts import write_parquet
from stages.context import StageContext
from stages.errors import UsageError
from stages.evaluate.compare import read_other
from stages.evaluate.distances import distances_in_json, distances_in_workspace
from stages.evaluate.labels import read_label_csv, read_workspace_labels
from stages.evaluate.measure import measure, resample
from stages.evaluate.predictions import read_predictions
from stages.evaluate.results import difference, metrics_columns, summarise
from stages.evaluate.settings import EvaluateSettings, EvaluateSummary
from stages.reporter import Reporter


def run(settings: EvaluateSettings, context: StageContext) -> EvaluateSummary:
    """Measure the scores of a file, or of a model on the workspace's clips."""
    if settings.scores is not None:
        return _evaluate_file(settings, context.reporter)
    return _evaluate_run(settings, context)


def _evaluate_file(settings: EvaluateSettings, reporter: Reporter) -> EvaluateSummary:
    """Measure predictions made elsewhere; nothing is written."""
    if settings.scores is None or settings.ontology is None or settings.labels is None:
        raise UsageError(
            "--scores needs --ontology and --labels",
            "name the ontology.json and the CSV of the labels in score order",
        )
    if settings.name is not None or settings.against is not None:
        raise UsageError(
            "--scores stands alone: --name and --against are for runs of a workspace",
            "leave them out, or leave out --scores",
        )
    labels = read_label_csv(settings.labels)
    predictions = read_predictions(settings.scores, len(labels))
    distances = distances_in_json(settings.ontology, labels, reporter)
    measures = measure(predictions, labels, distances)
    replicates = resample([measures], settings.resamples, settings.seed, reporter)
    return summarise(
        name=str(settings.scores),
        split=None,
        labels=labels,
        measures=measures,
        replicates=replicates[0],
        distances=distances,
        against=None,
    )


def _evaluate_run(settings: EvaluateSettings, context: StageContext) -> EvaluateSummary:
    """Score the split's clips with the run's model, and write scores.parquet and metrics.parquet."""
    from stages.evaluate.score_run import score_run, write_scores  # torch is heavy

    _check_run_usage(settings)
    labels = read_workspace_labels(context.workspace)
    distances = distances_in_workspace(context.workspace, labels, context.reporter)
    predictions = score_run(settings, labels, context)
    models = [measure(predictions, labels, distances)]
    if settings.against is not None:
        other = read_other(context.workspace, settings.against, predictions, settings.split)
        models.append(measure(other, labels, distances))
    replicates = resample(models, settings.resamples, settings.seed, context.reporter)
    compared = difference(settings.against, models, replicates) if settings.against else None
    summary = summarise(
        name=str(settings.name),
        split=settings.split,
        labels=labels,
        measures=models[0],
        replicates=replicates[0],
        distances=distances,
        against=compared,
    )
    folder = context.staging / "runs" / str(settings.name)
    write_scores(folder / "scores.parquet", predictions, context.lineage)
    columns = metrics_columns(summary, models[0], replicates[0])
    write_parquet(folder / "metrics.parquet", "metrics", columns, context.lineage)
    return summary


def _check_run_usage(settings: EvaluateSettings) -> None:
    if settings.ontology is not None or settings.labels is not None:
        raise UsageError(
            "--ontology and --labels go with --scores: a workspace has its own",
            "leave them out, or name a file of --scores",
        )
    if settings.against == settings.name:
        raise UsageError(
            f"--against {settings.against} is the run itself", "name another run to compare with"
        )
