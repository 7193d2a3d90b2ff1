"""Prepare a data set: find its clips, decode and store them, and account for everything else."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import duckdb

from ontology.build import build_ontology
from ontology.database import check_known, open_ontology
from ontology.nodes import nodes
from stages.artifacts import file_metadata, write_parquet
from stages.context import StageContext
from stages.errors import SpaError, UsageError
from stages.prepare.class_map import Mids, resolve_classes
from stages.prepare.layouts.detect import choose_layout
from stages.prepare.listing import Listing, Reject
from stages.prepare.settings import PrepareSettings, PrepareSummary
from stages.prepare.shards import Encoding
from stages.prepare.source import SourceFolder, walk_source
from stages.prepare.splits import assign_splits
from stages.prepare.summary import summarise
from stages.prepare.tables import (
    choose_labels,
    clips_columns,
    labels_columns,
    rejects_columns,
)
from stages.prepare.taking import LabelledClip, TakenClip, take_clips
from stages.processes import default_workers


def run(settings: PrepareSettings, context: StageContext) -> PrepareSummary:
    """Prepare `settings.source` into clips, labels, rejects, ontology and audio.

    Raises:
        UsageError: no such source folder, no known layout, or no ontology.
        SpaError: a class has no place in the ontology, or no clip could be taken.
        OntologyError: the ontology is none, or lacks a label.
    """
    source, ontology_json = _open_source(settings, context.workspace)
    layout = choose_layout(source, settings.layout)
    database = context.staging / "ontology.duckdb"
    build_ontology(ontology_json, database)
    with open_ontology(database) as ontology:
        listing = layout.scan(source)
        found = _label(listing, settings, ontology)
        clips, undecodable = _decode(found, source, settings, context)
        rejects = [*source.rejects, *listing.rejects, *undecodable]
        if not clips:
            raise _nothing_taken(source, rejects)
        labels = choose_labels(listing.label_list, nodes(ontology), clips)
        tables = {
            "clips": clips_columns(clips, labels),
            "labels": labels_columns(labels, clips, ontology),
            "rejects": rejects_columns(rejects),
        }
    for kind, columns in tables.items():
        write_parquet(context.staging / f"{kind}.parquet", kind, columns, context.lineage)
    summary = summarise(layout.name, settings.sample_rate, clips, labels, rejects)
    for split in ("train", "eval"):
        if summary.clips[split] == 0:
            context.reporter.warn(f"no clip is in the split {split}")
    return summary


def _open_source(settings: PrepareSettings, workspace: Path) -> tuple[SourceFolder, Path]:
    """Walk the source folder; what is no data of it (workspace, ontology, class map) is left out."""
    if not settings.source.is_dir():
        what = "is a file" if settings.source.exists() else "does not exist"
        raise UsageError(f"the source {settings.source} {what}", "name a data set's folder")
    if settings.source.resolve() == workspace.resolve():
        raise UsageError(f"{workspace} is source and workspace at once", "name another --workspace")
    ontology_json = settings.ontology or settings.source / "ontology.json"
    skip = [path for path in (workspace, ontology_json, settings.class_map) if path is not None]
    source = walk_source(settings.source, skip)
    if not source.files and not source.rejects:
        raise UsageError(f"the source {settings.source} is empty", "name a data set's folder")
    if not ontology_json.is_file():
        raise UsageError(f"no ontology: {ontology_json} is no file", "name one with --ontology")
    return source, ontology_json


def _label(
    listing: Listing, settings: PrepareSettings, ontology: duckdb.DuckDBPyConnection
) -> list[LabelledClip]:
    """Give every clip its ontology ids and its split."""
    mids = _mids_by_label(listing, settings.class_map, ontology)
    splits = assign_splits(listing.clips, settings.eval_fold, settings.valid_share)
    return [
        LabelledClip(clip, tuple(mid for label in clip.labels for mid in mids[label]), split)
        for clip, split in zip(listing.clips, splits, strict=True)
    ]


def _mids_by_label(
    listing: Listing, class_map: Path | None, ontology: duckdb.DuckDBPyConnection
) -> Mapping[str, Mids]:
    if listing.label_list is None:
        return resolve_classes(listing, class_map, nodes(ontology))
    if class_map is not None:
        raise UsageError(
            f"--class-map {class_map}: the data set is labelled with ids, not with class names"
        )
    check_known(ontology, [label.mid for label in listing.label_list])
    return {label.mid: (label.mid,) for label in listing.label_list}


def _decode(
    found: list[LabelledClip],
    source: SourceFolder,
    settings: PrepareSettings,
    context: StageContext,
) -> tuple[list[TakenClip], list[Reject]]:
    encoding = Encoding(
        root=source.root,
        folder=context.staging / "audio",
        sample_rate=settings.sample_rate,
        max_seconds=settings.max_clip_seconds,
        metadata=file_metadata("audio", context.lineage),
    )
    encoding.folder.mkdir()
    workers = settings.workers or default_workers()
    with context.reporter.task("prepare", len(found)) as task:
        return take_clips(found, encoding, workers, lambda path: task.advance(1, path))


def _nothing_taken(source: SourceFolder, rejects: list[Reject]) -> SpaError:
    if not rejects:
        return SpaError(f"{source.root} gave no clip: its lists name none")
    counts = Counter(reject.reason for reject in rejects).most_common()
    example = next(reject for reject in rejects if reject.reason is counts[0][0])
    return SpaError(
        f"{source.root} gave no clip: {', '.join(f'{n} {reason}' for reason, n in counts)}",
        f"see to the files, such as {example.source_path}: {example.detail}",
    )
