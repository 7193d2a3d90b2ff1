"""AudioSet's files: segment lists and the list of labels, in the form that Google publishes.

Format: https://research.google.com/audioset/download.html.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stages.demo_data.labels import Label


@dataclass(frozen=True)
class Segment:
    """One line of a split's segment list: a clip and its labels, in label order."""

    split: str
    clip_id: str
    labels: tuple[Label, ...]

    @property
    def audio_path(self) -> str:
        """Its file, below the data set's folder."""
        return f"audio/{self.split}/{self.clip_id}.flac"


def write_segments(path: Path, segments: Sequence[Segment], clip_seconds: float) -> None:
    """Write `<split>_segments.csv`."""
    positives = [label.mid for segment in segments for label in segment.labels]
    counts = {
        "num_ytids": len(segments),
        "num_segs": len(segments),
        "num_unique_labels": len(set(positives)),
        "num_positive_labels": len(positives),
    }
    lines = [
        f"# {path.stem}: rendered from a sound font",
        "# " + ", ".join(f"{name}={count}" for name, count in counts.items()),
        "# YTID, start_seconds, end_seconds, positive_labels",
    ]
    for segment in segments:
        mids = ",".join(label.mid for label in segment.labels)
        lines.append(f'{segment.clip_id}, 0.000, {clip_seconds:.3f}, "{mids}"')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def write_label_list(path: Path, labels: Sequence[Label]) -> None:
    """Write `class_labels_indices.csv`."""
    lines = ["index,mid,display_name"]
    lines += [f'{label.index},{label.mid},"{label.name}"' for label in labels]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
