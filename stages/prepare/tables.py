"""The rows of clips.parquet, labels.parquet and rejects.parquet."""

from collections import Counter
from collections.abc import Mapping, Sequence

import duckdb

from ontology.ancestry import parents
from ontology.nodes import Node, nodes
from ontology.paths import depths, paths
from stages.prepare.listing import Label, Reject, Split
from stages.prepare.taking import TakenClip

Columns = dict[str, list[object]]


def choose_labels(
    label_list: Sequence[Label] | None, ontology_nodes: Sequence[Node], clips: Sequence[TakenClip]
) -> tuple[Label, ...]:
    """Label order: a published list as it is, or the labels in use in the ontology's order."""
    if label_list is not None:
        return tuple(label_list)
    used = {mid for taken in clips for mid in taken.found.mids}
    return tuple(Label(node.mid, node.name) for node in ontology_nodes if node.mid in used)


def clips_columns(clips: Sequence[TakenClip], labels: Sequence[Label]) -> Columns:
    """Columns of clips.parquet; each clip's labels in label order."""
    index = {label.mid: place for place, label in enumerate(labels)}
    indices = [sorted({index[mid] for mid in taken.found.mids}) for taken in clips]
    return {
        "clip_id": [taken.found.clip.clip_id for taken in clips],
        "split": [taken.found.split for taken in clips],
        "fold": [taken.found.clip.fold for taken in clips],
        "recording_id": [taken.found.clip.recording_id for taken in clips],
        "mids": [[labels[place].mid for place in places] for places in indices],
        "label_indices": list(indices),
        "duration_seconds": [taken.stored.duration_seconds for taken in clips],
        "source_path": [taken.found.clip.path for taken in clips],
        "source_sha256": [taken.stored.source_sha256 for taken in clips],
        "source_sample_rate": [taken.stored.source_sample_rate for taken in clips],
        "peak_dbfs": [taken.stored.peak_dbfs for taken in clips],
        "rms_dbfs": [taken.stored.rms_dbfs for taken in clips],
        "shard": [taken.shard for taken in clips],
        "row": [taken.stored.row for taken in clips],
    }


def labels_columns(
    labels: Sequence[Label], clips: Sequence[TakenClip], ontology: duckdb.DuckDBPyConnection
) -> Columns:
    """Columns of labels.parquet: the names that the labels have, the rest from the ontology.

    Raises:
        OntologyError: the ontology lacks a label.
    """
    mids = [label.mid for label in labels]
    description = {node.mid: node.description for node in nodes(ontology)}
    depth = depths(ontology)
    counts = _clips_per_label(clips)
    return {
        "label_index": list(range(len(labels))),
        "mid": list(mids),
        "display_name": [label.display_name for label in labels],
        "description": [description[mid] for mid in mids],
        "path": list(paths(ontology, mids)),
        "parents": list(parents(ontology, mids)),
        "depth": [depth[mid] for mid in mids],
        "clips_train": [counts["train"][mid] for mid in mids],
        "clips_valid": [counts["valid"][mid] for mid in mids],
        "clips_eval": [counts["eval"][mid] for mid in mids],
    }


def _clips_per_label(clips: Sequence[TakenClip]) -> Mapping[Split, Counter[str]]:
    counts: dict[Split, Counter[str]] = {"train": Counter(), "valid": Counter(), "eval": Counter()}
    for taken in clips:
        counts[taken.found.split].update(set(taken.found.mids))
    return counts


def rejects_columns(rejects: Sequence[Reject]) -> Columns:
    """Columns of rejects.parquet."""
    return {
        "source_path": [reject.source_path for reject in rejects],
        "clip_id": [reject.clip_id for reject in rejects],
        "reason": [reject.reason.value for reject in rejects],
        "detail": [reject.detail for reject in rejects],
    }
