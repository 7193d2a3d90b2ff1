"""FSD50K: 51,197 Freesound clips of 200 classes.

Source format: E. Fonseca, X. Favory, J. Pons, F. Font, X. Serra, "FSD50K: an Open Dataset of
Human-Labeled Sound Events", IEEE/ACM TASLP 30, 2022 (arXiv 2010.00475),
https://zenodo.org/record/4060432. `FSD50K.ground_truth/` holds `dev.csv` (fname,labels,mids,split;
the split is train or val), `eval.csv` (fname,labels,mids) and, without a header, `vocabulary.csv`
(index,name,mid). A clip is `FNAME.wav`, in `FSD50K.dev_audio/` or `FSD50K.eval_audio/`; FNAME is its
Freesound id. The mirror on the Hugging Face hub (Fhrozen/FSD50k) has the same lists in `labels/`
and the same files in `clips/dev/` and `clips/eval/`.

A clip is found by its file's name, in any folder and with any extension: ids are unique over the
data set, and people re-encode it. The label list is the vocabulary: 8 of its classes are not among
AudioSet's 527. Its names are written without spaces; `_` is read as one.
"""

from collections.abc import Iterator

from stages.errors import ArtifactError
from stages.prepare.csv_file import read_lines, read_table
from stages.prepare.layouts.cells import labels_of, split_of
from stages.prepare.listing import FileName, Label, ListedClip, Listing, Reason, Reject, Split
from stages.prepare.source import SourceFolder

LOOKS_FOR = "FSD50K.ground_truth/vocabulary.csv or labels/vocabulary.csv, with dev.csv or eval.csv"

_FOLDERS = ("FSD50K.ground_truth", "labels")


def _lists(source: SourceFolder) -> tuple[str, list[str]] | None:
    """The vocabulary, and the lists of clips: eval first, so that what is in two is held out."""
    for folder in _FOLDERS:
        if source.has(f"{folder}/vocabulary.csv"):
            lists = [f"{folder}/{name}.csv" for name in ("eval", "dev")]
            present = [path for path in lists if source.has(path)]
            if present:
                return f"{folder}/vocabulary.csv", present
    return None


def matches(source: SourceFolder) -> bool:
    """Whether the vocabulary and a list of clips are there."""
    return _lists(source) is not None


def scan(source: SourceFolder) -> Listing:
    """List the clips of eval.csv, then those of dev.csv, each in its own order.

    Raises:
        ArtifactError: the vocabulary is none; a list cannot be read or lacks a column, when it is
            read.
    """
    found = _lists(source)
    assert found is not None  # noqa: S101 - a layout is scanned only where it matches
    vocabulary, lists = found
    return Listing(
        found=_clips(source, lists),
        lists=frozenset({vocabulary, *lists}),
        label_list=_read_vocabulary(source, vocabulary),
        names_of=_names_of,
    )


def _names_of(stem: str) -> Iterator[FileName]:
    yield FileName(stem, None, None, 0)


def _read_vocabulary(source: SourceFolder, path: str) -> tuple[Label, ...]:
    labels: dict[str, Label] = {}
    for line, fields in read_lines(source.root / path):
        mid = fields[2].strip() if len(fields) == 3 else ""
        if not mid or mid in labels:
            raise ArtifactError(
                f"{source.root / path} line {line}: {fields} is no index, name and mid of its own",
                "take vocabulary.csv as it was published",
            )
        labels[mid] = Label(mid, fields[1].replace("_", " ").strip())
    if not labels:
        raise ArtifactError(f"{source.root / path} has no labels")
    return tuple(labels.values())


def _clips(source: SourceFolder, lists: list[str]) -> Iterator[ListedClip | Reject]:
    for path in lists:
        is_eval = path.endswith("/eval.csv")
        columns = ("fname", "mids") if is_eval else ("fname", "mids", "split")
        for line, row in read_table(source.root / path, columns):
            yield _clip(f"{path}:{line}", row, "eval" if is_eval else None)


def _clip(where: str, row: dict[str, str] | None, split: Split | None) -> ListedClip | Reject:
    if row is None or not row["fname"].strip():
        return Reject(where, None, Reason.MALFORMED_ROW, "no text, or too few fields")
    clip_id = row["fname"].strip()
    try:
        split = split or split_of("split", row["split"])
        labels = labels_of("mids", row["mids"].split(","))
    except ValueError as error:
        return Reject(where, clip_id, Reason.MALFORMED_ROW, str(error))
    return ListedClip(clip_id, None, where, labels, recording_id=clip_id, split=split)
