"""Make the demonstration's data set: render it from a sound font, in AudioSet's layout."""

from stages.context import StageContext
from stages.demo_data.labels import all_labels, ontology_json
from stages.demo_data.layout import Segment, write_label_list, write_segments
from stages.demo_data.rendering import Job, render_clips
from stages.demo_data.settings import DemoDataSettings, DemoDataSummary
from stages.demo_data.sound_font import KNOWN_SHA256, SoundFont, find_sound_font
from stages.processes import default_workers
from stages.reporter import Reporter


def run(settings: DemoDataSettings, context: StageContext) -> DemoDataSummary:
    """Render all clips and write the segment lists, the labels and the ontology beside them.

    Raises:
        SpaError: the sound font or its renderer is not installed, or a worker process died.
    """
    sound_font = find_sound_font()
    _check_version(sound_font, context.reporter)
    folder = context.staging / "demo-data"
    segments = _render(settings, context, sound_font)
    for split, found in segments.items():
        write_segments(folder / f"{split}_segments.csv", found, settings.clip_seconds)
    labels = list(all_labels().values())
    write_label_list(folder / "class_labels_indices.csv", labels)
    (folder / "ontology.json").write_text(ontology_json(), encoding="utf-8", newline="\n")
    example = next((clip for clip in segments["eval"] if len(clip.labels) > 1), segments["eval"][0])
    return DemoDataSummary(
        clips={split: len(found) for split, found in segments.items()},
        labels=len(labels),
        example_path=f"demo-data/{example.audio_path}",
        example_labels=tuple(label.name for label in example.labels),
        sound_font=sound_font.name,
        sound_font_sha256=sound_font.sha256,
    )


def _check_version(sound_font: SoundFont, reporter: Reporter) -> None:
    if sound_font.sha256 != KNOWN_SHA256:
        reporter.warn(
            f"{sound_font.path} is not the version that the table of voices was made for "
            f"(sha256 {sound_font.sha256}, not {KNOWN_SHA256}): other sounds, other results"
        )


def _render(
    settings: DemoDataSettings, context: StageContext, sound_font: SoundFont
) -> dict[str, list[Segment]]:
    """Write the audio; the segments of each split, in order."""
    counts = {
        "train": settings.train_clips,
        "valid": settings.valid_clips,
        "eval": settings.eval_clips,
    }
    job = Job(
        seed=settings.seed,
        clip_seconds=settings.clip_seconds,
        sample_rate=settings.sample_rate,
        sound_font=sound_font.path,
        folder=context.staging / "demo-data",
    )
    for split in counts:
        (job.folder / "audio" / split).mkdir(parents=True)
    clips = [(split, number) for split, count in counts.items() for number in range(count)]
    segments: dict[str, list[Segment]] = {split: [] for split in counts}
    with context.reporter.task("rendering", len(clips)) as task:
        for segment in render_clips(job, clips, settings.workers or default_workers()):
            segments[segment.split].append(segment)
            task.advance(1, segment.split)
    return segments
