"""Embed the labels' texts, and measure how well they follow the ontology."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ontology.database import open_ontology
from ontology.distances import distance_matrix
from stages.artifacts import read_parquet, write_parquet
from stages.context import StageContext
from stages.embed_labels.prompts import label_prompts, template_fields
from stages.embed_labels.settings import EmbedLabelsSettings, EmbedLabelsSummary
from stages.embed_labels.text_distance import cosines, near_duplicates, rank_correlation
from stages.errors import ArtifactError
from stages.models.text_encoders.text_encoder import TextEncoder, load_text_encoder
from stages.reporter import Reporter
from stages.schemas import label_embeddings

BATCH_PROMPTS = 32


def run(settings: EmbedLabelsSettings, context: StageContext) -> EmbedLabelsSummary:
    """Read labels.parquet and ontology.duckdb, write label_embeddings.parquet.

    Raises:
        UsageError: an unknown text encoder, or a prompt template that may not be used.
        ArtifactError: no labels, or weights that are not what they should be.
        SpaError: the text encoder's package or weights could not be had.
    """
    path = context.workspace / "labels.parquet"
    labels = read_parquet(path, "labels").to_pylist()
    if not labels:
        raise ArtifactError(f"{path} has no labels", "run `spa prepare` on a data set with labels")
    prompts = label_prompts(settings.prompt, labels)
    _warn_of_empty_descriptions(settings.prompt, labels, context.reporter)
    encoder = load_text_encoder(settings.text_encoder, context.reporter.line)
    embeddings = embed(encoder, prompts, context.reporter)
    cosine = cosines(embeddings)
    mids = [label["mid"] for label in labels]
    spearman = _spearman(cosine, context.workspace / "ontology.duckdb", mids, context.reporter)
    names = [label["display_name"] for label in labels]
    near = near_duplicates(cosine, names, settings.near_duplicate_cosine)
    summary = EmbedLabelsSummary(
        text_encoder=encoder.identity,
        weights_sha256=encoder.weights_sha256,
        prompt=settings.prompt,
        labels=len(labels),
        dimensions=embeddings.shape[1],
        spearman=spearman,
        near_duplicates=tuple(near),
    )
    columns = {
        "label_index": [label["label_index"] for label in labels],
        "mid": mids,
        "prompt": prompts,
        "embedding": list(embeddings),
    }
    _write(summary, columns, context)
    return summary


def embed(encoder: TextEncoder, prompts: Sequence[str], reporter: Reporter) -> NDArray[np.float32]:
    """Embed `prompts` in batches of like length, which halves the padding that is computed.

    Returns:
        `(prompts, dimensions)`, float32, rows of unit length, in the order of `prompts`.

    Raises:
        ArtifactError: an embedding is zero or not finite, so the weights are no good.
    """
    order = sorted(range(len(prompts)), key=lambda k: len(prompts[k]))
    batches = []
    with reporter.task("embed labels", len(prompts)) as task:
        for start in range(0, len(order), BATCH_PROMPTS):
            batch = order[start : start + BATCH_PROMPTS]
            batches.append(encoder.encode([prompts[k] for k in batch]))
            task.advance(len(batch))
    by_length = np.concatenate(batches)
    if not np.allclose(np.linalg.norm(by_length, axis=1), 1, atol=1e-3):
        raise ArtifactError(f"the weights of {encoder.identity} give embeddings of no direction")
    embeddings = np.empty_like(by_length)
    embeddings[order] = by_length
    return embeddings


def _warn_of_empty_descriptions(
    template: str, labels: Sequence[Mapping[str, Any]], reporter: Reporter
) -> None:
    empty = [label["display_name"] for label in labels if not label["description"].strip()]
    if empty and "description" in template_fields(template):
        first = ", ".join(empty[:3]) + (", ..." if len(empty) > 3 else "")
        reporter.warn(
            f"no description for {len(empty)} of {len(labels)} labels ({first}): "
            "their names stand in for it"
        )


def _spearman(
    cosine: NDArray[np.float64], ontology: Path, mids: Sequence[str], reporter: Reporter
) -> float | None:
    with open_ontology(ontology) as connection:
        distances = distance_matrix(connection, mids).values
    spearman = rank_correlation(cosine, distances)
    if spearman is None:
        reporter.warn(
            "the correlation of text and ontology distance is not defined for these labels: "
            "it needs three labels or more, and distances that differ"
        )
    return spearman


def _write(
    summary: EmbedLabelsSummary, columns: Mapping[str, object], context: StageContext
) -> None:
    stored = {"text_encoder", "weights_sha256", "prompt"}
    near = [pair.model_dump() for pair in summary.near_duplicates]
    write_parquet(
        context.staging / "label_embeddings.parquet",
        "label_embeddings",
        columns,
        context.lineage,
        schema=label_embeddings(summary.dimensions),
        extra={
            **summary.model_dump(include=stored),
            "spearman": json.dumps(summary.spearman),
            "near_duplicates": json.dumps(near, ensure_ascii=False),
        },
    )
