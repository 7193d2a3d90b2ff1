"""How good the tagger is on the validation clips."""

import numpy as np
from numpy.typing import NDArray

from stages.audio.store import AudioStore
from stages.metrics.average_precision import average_precision
from stages.metrics.omap import ontology_average_precision
from stages.metrics.ranking import rank
from stages.models.checkpoint import Checkpoint
from stages.models.scoring import score_clips
from stages.train.clips import Clips
from stages.train.diverged import DivergedError
from stages.train.world import World


class Validator:
    """Scores the validation clips; several processes share the work."""

    def __init__(
        self,
        store: AudioStore,
        clips: Clips,
        distances: NDArray[np.int64],
        batch_size: int,
        world: World | None = None,
    ) -> None:
        """Take the clips and distances (labels, labels), edges of the ontology."""
        self.store, self.clips, self.distances = store, clips, distances
        self.batch_size, self.world = batch_size, world or World()

    def measures(self, checkpoint: Checkpoint) -> dict[str, float]:
        """Return mAP and OmAP in [0, 1]; nothing where there are no validation clips.

        Raises:
            DivergedError: the scores are no longer numbers.
        """
        clips = self.clips
        if not len(clips):
            return {}
        checkpoint.tagger.eval()
        own = self.world.part(len(clips))
        waveforms = (self.store.read(clips.shards[index], clips.rows[index]) for index in own)
        scores = list(score_clips(checkpoint, waveforms, self.batch_size))
        labels = len(checkpoint.header.mids)
        table = np.stack(scores) if scores else np.zeros((0, labels), dtype=np.float32)
        table = self.world.gathered_array(table)
        if not np.isfinite(table).all():
            raise DivergedError("the scores of the validation clips are not numbers")
        rankings = rank(table, clips.targets, self.distances)
        return {
            "mAP": float(np.nanmean(average_precision(rankings))),
            "OmAP": float(np.nanmean(ontology_average_precision(rankings))),
        }
