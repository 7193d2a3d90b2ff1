"""The scores of the model to compare with."""

import json
from pathlib import Path

from stages.artifacts import LINEAGE_KEY, open_parquet
from stages.context import StageContext
from stages.errors import ArtifactError
from stages.evaluate.labels import Labels
from stages.evaluate.scores_file.predictions import Predictions, read_predictions
from stages.evaluate.settings import EvaluateSettings
from stages.lineage import file_sha256


def read_other(
    settings: EvaluateSettings, labels: Labels, context: StageContext
) -> tuple[Predictions, ...]:
    """Read what `--against` names: a file, or what the last evaluation of a run has left; or nothing.

    Raises:
        ArtifactError: the file is no file of scores for these labels; or the run has another model, the
            workspace other clips, or the run's scores another split than this evaluation.
    """
    path = settings.against_file()
    if path is not None:
        return (read_predictions(path, labels),)
    if settings.against is None:
        return ()
    path = context.workspace / "runs" / settings.against / "scores.parquet"
    _check_current(path, settings, context)
    return (read_predictions(path, labels),)


def _check_current(path: Path, settings: EvaluateSettings, context: StageContext) -> None:
    """Refuse scores that the run's model, as it is now, has not given to these clips."""
    with open_parquet(path) as file:
        made_from = json.loads((file.schema_arrow.metadata or {}).get(LINEAGE_KEY, b"{}"))
    file = made_from.get("settings", {}).get("model")
    named = f"--model {file} --name {settings.against}" if file else settings.against
    again = f"run `spa evaluate {named} --workspace {context.workspace}` first"
    model = file or f"runs/{settings.against}/model.safetensors"
    for name, what in ((model, "another model"), ("clips.parquet", "other clips")):
        now = Path(name) if name == file else context.workspace / name
        was = made_from.get("inputs", {}).get(name)
        if was is not None and now.is_file() and was != file_sha256(now):
            raise ArtifactError(f"{path} is of {what} than {now} has now", again)
    split = made_from.get("settings", {}).get("split", settings.split)
    if settings.scores is None and split != settings.split:
        raise ArtifactError(
            f"{path} is of the split {split}, not {settings.split}",
            f"run `spa evaluate {named} --split {settings.split}"
            f" --workspace {context.workspace}` first",
        )
