"""Which ontology ids the clips' labels stand for, and which labels are kept."""

from collections.abc import Mapping, Sequence

import duckdb

from ontology.ancestry import ancestors
from ontology.database import check_known
from ontology.nodes import Node, nodes
from stages.errors import UsageError
from stages.prepare.catalogue import Catalogue
from stages.prepare.class_map import Mids, resolve_labels
from stages.prepare.kept_labels import read_kept_labels
from stages.prepare.listing import Label, Listing
from stages.prepare.settings import PrepareSettings
from stages.reporter import Reporter

_SHOWN = 5


def label_clips(
    listing: Listing,
    catalogue: Catalogue,
    settings: PrepareSettings,
    ontology: duckdb.DuckDBPyConnection,
    reporter: Reporter,
) -> tuple[Label, ...] | None:
    """Fill the table `clips` with the clips that are there, once each, and their ontology ids.

    Clips with a label that nobody knows, and clips none of whose labels is kept, are rejected.
    Returns the labels and their order where a list says them; else the labels in use are taken.

    Raises:
        UsageError: a class map is given for a data set that is labelled with ids.
        OntologyError: the ontology lacks a label of the data set's list.
        ArtifactError: --class-map or --labels is not what it should be.
    """
    known = _resolve(listing, catalogue, settings, nodes(ontology), ontology)
    labels = listing.label_list
    if settings.labels is not None:
        labels = read_kept_labels(settings.labels, labels, nodes(ontology))
    if settings.with_ancestors:
        known = {label: _with_ancestors(mids, ontology) for label, mids in known.items()}
    if labels is not None:
        kept = {label.mid for label in labels}
        known = {label: tuple(mid for mid in mids if mid in kept) for label, mids in known.items()}
    catalogue.add("label_mids", ((label, list(mids)) for label, mids in known.items()))
    unknown = [
        f"{label!r} ({place})"
        for label, place in catalogue.stream("distinct_labels.sql")
        if label not in known
    ]
    if unknown:
        by_name = listing.label_list is None
        advice = "; a CSV with the columns class,mids, given with --class-map, can say it"
        advice = advice if by_name else ""
        more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        reporter.warn(
            f"clips with these labels are rejected, since nobody knows what they stand for:"
            f" {', '.join(unknown[:_SHOWN])}{more}{advice}"
        )
    catalogue.do("label_clips.sql")
    catalogue.do("unique_clips.sql")
    return labels


def _resolve(
    listing: Listing,
    catalogue: Catalogue,
    settings: PrepareSettings,
    ontology_nodes: Sequence[Node],
    ontology: duckdb.DuckDBPyConnection,
) -> Mapping[str, Mids]:
    if listing.label_list is None:
        written = (label for label, _ in catalogue.stream("distinct_labels.sql"))
        return resolve_labels(written, settings.class_map, listing.class_map, ontology_nodes)
    if settings.class_map is not None:
        raise UsageError(
            f"--class-map {settings.class_map}: the data set is labelled with ids, not with class names"
        )
    check_known(ontology, [label.mid for label in listing.label_list])
    return {label.mid: (label.mid,) for label in listing.label_list}


def _with_ancestors(mids: Mids, ontology: duckdb.DuckDBPyConnection) -> Mids:
    above = {ancestor for mid in mids for ancestor in ancestors(ontology, mid)}
    return (*mids, *sorted(above.difference(mids)))
