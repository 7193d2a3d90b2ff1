"""Gather what the report shows from what was measured."""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stages.artifacts import read_parquet
from stages.audio.store import AudioStore
from stages.context import StageContext
from stages.evaluate.confusions import (
    FoundConfusion,
    LabelConfusion,
    Scored,
    find_confusions,
)
from stages.evaluate.report.audio import encode_mp3
from stages.evaluate.report.content import Confusion, Example, Model, ReportContent
from stages.evaluate.results import Judged
from stages.evaluate.settings import EvaluateSettings
from stages.evaluate.space import LabelSpace
from stages.evaluate.summary import EvaluateSummary
from stages.metrics.severity import random_distances

_CONFUSIONS_SHOWN = 12


def gather(
    judged: Sequence[Judged],
    summaries: Sequence[EvaluateSummary],
    space: LabelSpace,
    settings: EvaluateSettings,
    context: StageContext,
) -> ReportContent:
    """The report's content, of one model or of two."""
    models = [
        Model(summary, model.measures.false_positives, model.measures.threshold)
        for model, summary in zip(judged, summaries, strict=True)
    ]
    measures = judged[0].measures
    return ReportContent(
        model=models[0],
        other=models[1] if len(models) > 1 else None,
        paths=space.paths,
        expected_distances=random_distances(measures.nearest, len(measures.false_positives)),
        confusions=_confusions(judged, space, settings, context),
        lineage=context.lineage,
    )


def _confusions(
    judged: Sequence[Judged], space: LabelSpace, settings: EvaluateSettings, context: StageContext
) -> tuple[Confusion, ...]:
    measures = judged[0].measures
    found = find_confusions(
        [Scored(one.measures.predictions.scores, one.measures.threshold) for one in judged],
        measures.predictions.targets,
        measures.nearest,
        measures.rankings.distances,
        _CONFUSIONS_SHOWN,
    )
    clip_ids = [measures.predictions.clip_ids[confusion.clip] for confusion in found]
    audible = clip_ids[: settings.audio_clips] if settings.scores is None else []
    audio = _audio(audible, context) if audible else {}
    return tuple(
        _confusion(confusion, clip_id, measures.predictions.targets, space, audio.get(clip_id))
        for confusion, clip_id in zip(found, clip_ids, strict=True)
    )


def _confusion(
    found: FoundConfusion,
    clip_id: str,
    targets: NDArray[np.bool_],
    space: LabelSpace,
    audio: bytes | None,
) -> Confusion:
    names = space.labels.display_names
    labels = tuple(names[label] for label in np.flatnonzero(targets[found.clip]))
    same = {field.name: getattr(found, field.name) for field in fields(LabelConfusion)}
    return Confusion(**same, example=Example(clip_id, labels, found.score, audio))


def _audio(clip_ids: Sequence[str], context: StageContext) -> dict[str, bytes]:
    """The clips of the workspace as MP3, by id."""
    clips = read_parquet(context.workspace / "clips.parquet", "clips")
    rows = clips.filter(pc.is_in(clips["clip_id"], value_set=pa.array(clip_ids)))
    store = AudioStore(context.workspace / "audio")
    places = zip(rows["clip_id"], rows["shard"], rows["row"], strict=True)
    found = ((clip_id.as_py(), shard.as_py(), row.as_py()) for clip_id, shard, row in places)
    return {
        clip_id: encode_mp3(store.read(shard, row), store.sample_rate(shard, row))
        for clip_id, shard, row in found
    }
