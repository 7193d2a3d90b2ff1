"""Prepare a data set: find its clips, decode and store them, and account for everything else."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from ontology.build import build_ontology
from ontology.database import open_ontology
from stages.artifacts import file_metadata
from stages.context import StageContext
from stages.errors import SpaError, UsageError
from stages.prepare.catalogue import Catalogue
from stages.prepare.class_map import flat_ontology
from stages.prepare.finding import find_clips
from stages.prepare.labelling import label_clips
from stages.prepare.layouts import manifest
from stages.prepare.layouts.detect import choose_layout
from stages.prepare.listing import Listing
from stages.prepare.parts import parts_done, write_part
from stages.prepare.planning import plan_shards
from stages.prepare.settings import PrepareSettings, PrepareSummary
from stages.prepare.shards import Encoding, Result, ShardTask
from stages.prepare.source import SourceFolder, walk_source
from stages.prepare.splits import assign_splits
from stages.prepare.summary import summarise
from stages.prepare.tables import choose_labels, read_results, write_tables
from stages.prepare.worker import Worker, started_workers
from stages.prepare.workers import write_shards
from stages.processes import default_workers

_PARTS = "parts"


def run(settings: PrepareSettings, context: StageContext) -> PrepareSummary:
    """Prepare `settings.source` into clips, labels, rejects, ontology and audio.

    Shards that an earlier, unfinished run with the same settings and files has written are kept.

    Raises:
        UsageError: no such source folder, no known layout, or no ontology.
        SpaError: no clip could be taken.
        OntologyError: the ontology is none, or lacks a label.
    """
    _check_source(settings, context.workspace)
    with (
        # They import what they need while the clips are listed.
        started_workers(settings.workers or default_workers()) as workers,
        _walked_source(settings, context) as source,
    ):
        context.reporter.line(f"prepare: listing {source.root}")
        layout, listing = _scan(source, settings)
        named = find_clips(listing, source)
        _check_any(source, "count_found.sql")
        database = context.staging / "ontology.duckdb"
        _build_ontology(listing, source, settings, context, database)
        with open_ontology(database) as ontology:
            label_list = label_clips(
                listing, source.catalogue, settings, ontology, context.reporter
            )
            assign_splits(
                source.catalogue,
                settings.split_by,
                settings.eval_fold,
                settings.eval_share,
                settings.valid_share,
            )
            _check_any(source, "count_clips.sql")
            _warn_of_straddling(source, context)
            _store_audio(listing, source, workers, settings, context)
            if source.catalogue.rows("count_taken.sql") == [(0,)]:
                shutil.rmtree(
                    context.staging / _PARTS
                )  # to go on from there would only lead here again
            _check_any(source, "count_taken.sql")
            labels = choose_labels(source.catalogue, label_list, ontology)
            write_tables(source.catalogue, labels, ontology, context.staging, context.lineage)
        summary = summarise(source.catalogue, layout, named, labels, settings.sample_rate)
    for split in ("train", "eval"):
        if summary.clips[split] == 0:
            context.reporter.warn(f"no clip is in the split {split}")
    return summary


def _check_source(settings: PrepareSettings, workspace: Path) -> None:
    root = settings.root()
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise UsageError(f"the source {root} {what}", "name a data set's folder")
    if not any(root.iterdir()):
        raise UsageError(f"the source {root} is empty", "name a data set's folder")
    for option in ("manifest", "class_map", "labels"):
        path: Path | None = getattr(settings, option)
        if path is not None and not path.is_file():
            raise UsageError(f"--{option.replace('_', '-')} {path} is no file", "name a file")
    if settings.min_clip_seconds > settings.max_clip_seconds:
        raise UsageError(
            f"--min-clip-seconds {settings.min_clip_seconds:g} is more than"
            f" --max-clip-seconds {settings.max_clip_seconds:g}"
        )
    if root.resolve() == workspace.resolve():
        raise UsageError(f"{root} is source and workspace at once", "name another --workspace")


@contextmanager
def _walked_source(settings: PrepareSettings, context: StageContext) -> Iterator[SourceFolder]:
    """Walk the source folder; what is no data of it (workspace, ontology, lists) is left out."""
    beside = (
        settings.ontology_json(),
        settings.class_map,
        settings.labels,
        settings.list_of_clips(),
    )
    skip = [context.workspace, *(path for path in beside if path is not None)]
    with closing(Catalogue(context.staging / "spill")) as catalogue:
        yield walk_source(settings.root(), skip, catalogue)


def _scan(source: SourceFolder, settings: PrepareSettings) -> tuple[str, Listing]:
    """The name of the layout, and what it names."""
    if settings.manifest is not None and settings.source.is_file():
        raise UsageError(
            f"SOURCE {settings.source} is a manifest, and --manifest names another", "leave one out"
        )
    given = settings.list_of_clips()
    if given is not None and settings.layout in ("auto", "manifest"):
        return "manifest", manifest.scan(source, given)
    if given is not None:
        raise UsageError(f"{given} is a manifest, and --layout is {settings.layout}")
    layout = choose_layout(source, settings.layout)
    return layout.name, layout.scan(source)


def _build_ontology(
    listing: Listing,
    source: SourceFolder,
    settings: PrepareSettings,
    context: StageContext,
    database: Path,
) -> None:
    """Build the ontology that the user has, or a flat one where the labels need none."""
    ontology_json = settings.ontology_json()
    if ontology_json.is_file():
        build_ontology(ontology_json, database)
        return
    own_labels = listing.label_list is None and listing.class_map is None
    if settings.ontology is not None or not own_labels:
        raise UsageError(f"no ontology: {ontology_json} is no file", "name one with --ontology")
    if settings.class_map is not None:
        raise UsageError(
            f"--class-map {settings.class_map} gives ontology ids, and there is no ontology",
            "name one with --ontology",
        )
    labels = [label for label, _ in source.catalogue.stream("distinct_labels.sql")]
    if not labels:
        raise SpaError(f"{source.root} gave no clip: none has a label", "give the clips labels")
    context.reporter.warn(
        f"no ontology: a flat one is made of the {len(labels)} labels, in which each is as far from"
        " every other; OmAP is meaningless with it (--ontology FILE gives a real one)"
    )
    flat = context.staging / "flat-ontology.json"
    flat.write_text(json.dumps(flat_ontology(labels), ensure_ascii=False), encoding="utf-8")
    build_ontology(flat, database)


def _store_audio(
    listing: Listing,
    source: SourceFolder,
    workers: Sequence[Worker],
    settings: PrepareSettings,
    context: StageContext,
) -> None:
    """Write the shards that are not there yet, and read what became of every clip."""
    parts, audio = context.staging / _PARTS, context.staging / "audio"
    for folder in (parts, audio):
        folder.mkdir(exist_ok=True)
    encoding = Encoding(
        root=source.root,
        folder=audio,
        sample_rate=settings.sample_rate,
        codec=settings.codec,
        min_seconds=settings.min_clip_seconds,
        max_seconds=settings.max_clip_seconds,
        metadata=file_metadata("audio", context.lineage),
    )
    ((clips,),) = source.catalogue.rows("count_clips.sql")
    plan = plan_shards(source.catalogue, clips=clips, cut_if_longer=listing.cut_if_longer)
    done = parts_done(parts)
    with context.reporter.task("prepare", clips) as task:

        def waiting() -> Iterator[ShardTask]:
            for shard in plan:
                if shard.name in done:
                    task.advance(len(shard.clips), "done before")
                else:
                    yield shard

        def finished(shard: ShardTask, results: Sequence[Result]) -> None:
            write_part(parts, shard, results)

        write_shards(waiting(), encoding, workers, finished, lambda path: task.advance(1, path))
    read_results(source.catalogue, parts, audio)


def _warn_of_straddling(source: SourceFolder, context: StageContext) -> None:
    ((recordings,),) = source.catalogue.rows("straddling.sql")
    if recordings:
        context.reporter.warn(
            f"{recordings} recordings have clips in more than one split, as the data set says:"
            " results will look better than they are (--split-by hash keeps recordings together)"
        )


def _check_any(source: SourceFolder, count_sql: str) -> None:
    """Fail when no clip is left, and say what came of what there is."""
    if source.catalogue.rows(count_sql) != [(0,)]:
        return
    counts = source.catalogue.rows("reject_counts.sql")
    if not counts:
        raise SpaError(f"{source.root} gave no clip: its lists name none")
    _, _, example = max(counts, key=lambda row: row[1])
    raise SpaError(
        f"{source.root} gave no clip: {', '.join(f'{count} {reason}' for reason, count, _ in counts)}",
        f"see to the files, such as {example}",
    )
