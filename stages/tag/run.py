"""Tag audio files with a trained model."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stages.audio.decode import decode_audio
from stages.context import StageContext
from stages.errors import AudioError
from stages.models.checkpoint import Checkpoint
from stages.models.devices import choose_device
from stages.models.public_start import open_model, open_published
from stages.models.scoring import score_windows, window_length, window_starts, windows_of
from stages.tag.settings import Tag, TaggedFile, TagSettings, TagSummary, Window

_WINDOWS_AT_ONCE = 16


def run(settings: TagSettings, context: StageContext) -> TagSummary:
    """Score each file; one that cannot be read is reported and does not stop the others."""
    device, model = choose_device(settings.device), str(settings.model)
    if settings.names_published():
        checkpoint = open_published(model, device, context.reporter.line)
    else:
        if not settings.names_a_file():
            model = str(context.workspace / "runs" / model / "model.safetensors")
        checkpoint = open_model(Path(model), device)
    context.reporter.line(f"model {model}")
    tagged = []
    with context.reporter.task("tag", len(settings.files)) as task:
        for file in settings.files:
            tagged.append(_tag(file, checkpoint, settings))
            task.advance(1, file.name)
    return TagSummary(model=model, files=tuple(tagged))


def _tag(file: Path, checkpoint: Checkpoint, settings: TagSettings) -> TaggedFile:
    sample_rate = checkpoint.header.sample_rate
    try:
        decoded = decode_audio(file, sample_rate, settings.max_seconds)
    except AudioError as error:
        return TaggedFile(path=str(file), error=f"{file}: {error.message}{_hint(error)}")
    waveform = decoded.waveform
    length = window_length(checkpoint, len(waveform))
    scores = score_windows(checkpoint, windows_of(waveform, length), _WINDOWS_AT_ONCE)
    windows = None
    if settings.windows:
        windows = tuple(
            Window(
                start_seconds=start / sample_rate,
                end_seconds=min(start + length, len(waveform)) / sample_rate,
                tags=_top(row, checkpoint, settings.topk),
            )
            for start, row in zip(window_starts(len(waveform), length), scores, strict=True)
        )
    return TaggedFile(
        path=str(file),
        duration_seconds=len(waveform) / sample_rate,
        tags=_top(scores.max(axis=0), checkpoint, settings.topk),
        windows=windows,
    )


def _hint(error: AudioError) -> str:
    return " (--max-seconds)" if error.code == "too_long" else ""


def _top(scores: NDArray[np.float32], checkpoint: Checkpoint, topk: int) -> tuple[Tag, ...]:
    header = checkpoint.header
    best = np.argsort(-scores, kind="stable")[:topk]
    return tuple(
        Tag(mid=header.mids[i], label=header.display_names[i], score=float(scores[i])) for i in best
    )
