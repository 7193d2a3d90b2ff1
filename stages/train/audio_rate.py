"""Whether the audio has to be resampled for the encoder."""

import pyarrow as pa

from stages.audio.rate_mismatch import rate_warning
from stages.audio.store import AudioStore
from stages.models.checkpoint import ModelHeader
from stages.reporter import Reporter


def warn_of_other_rate(
    clips: pa.Table, store: AudioStore, header: ModelHeader, reporter: Reporter
) -> None:
    """Warn where the store's audio is at another sample rate than the encoder hears.

    Args:
        clips: rows of clips.parquet, at least one; a workspace's clips are all at one rate, so that
            the first stands for them all.
        store: holds them.
        header: of the model that is trained.
        reporter: says the warning.

    Raises:
        ArtifactError: the first clip cannot be read.
    """
    stored_hz = store.sample_rate(clips["shard"][0].as_py(), clips["row"][0].as_py())
    warning = rate_warning(stored_hz, header.sample_rate, f"encoder '{header.encoder}'")
    if warning is not None:
        reporter.warn(warning)
