"""Part a data set so that every label has its share in both parts."""

import numpy as np
import scipy.sparse
from numpy.typing import NDArray


def stratified_part(
    labels_of: scipy.sparse.csr_array,
    clips_of: NDArray[np.int64],
    share: float,
    generator: np.random.Generator,
) -> NDArray[np.bool_]:
    """Choose a share of the recordings that has about that share of each label's: (recordings,) bool.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, "On the Stratification of
    Multi-Label Data", Figure 1) for two parts: the label with the fewest recordings left is dealt with
    next, since a later one cannot make up for what it misses, and as many of its recordings go to each
    part as that part still wants. In addition to the paper:

    - Where a label wants a fraction of a recording, what the labels before it got too much or too
      little decides whether it gets one more, so that the parts have their sizes in the end.
    - A label that wants half a recording or more gets one.
    - Which of a label's recordings: those whose clips are as many as the others have on average, so that
      the share of the clips comes near too; among equals chance decides.
    - No label loses its last recording to the part that is chosen.

    Args:
        labels_of: (recordings, labels), an entry where the recording has the label.
        clips_of: (recordings,), how many clips each has.
        share: from 0 to 0.5.
        generator: of the choices.
    """
    state = _Dealing(labels_of, clips_of, share, generator)
    while state.left.any():
        waiting = np.flatnonzero(state.left)
        state.deal(int(waiting[np.argmin(state.left[waiting])]))
    state.deal_unlabelled()
    state.give_back()
    return state.chosen


class _Dealing:
    """Where the recordings are while they are dealt out.

    `left` and `chosen_with` are (labels,): recordings with the label that wait, and that are chosen.
    """

    def __init__(
        self,
        labels_of: scipy.sparse.csr_array,
        clips_of: NDArray[np.int64],
        share: float,
        generator: np.random.Generator,
    ) -> None:
        self.labels_of, self.with_label = labels_of, labels_of.tocsc()
        self.clips_of, self.share, self.generator = clips_of, share, generator
        recordings = labels_of.shape[0]
        self.waits = np.ones(recordings, dtype=np.bool_)
        self.chosen = np.zeros(recordings, dtype=np.bool_)
        self.total = np.diff(self.with_label.indptr).astype(np.int64)
        self.left = self.total.copy()
        self.chosen_with = np.zeros_like(self.total)

    def deal(self, label: int) -> None:
        """Deal out the recordings with `label` that wait."""
        recordings = self._recordings_with(label)
        recordings = recordings[self.waits[recordings]]
        self._assign(recordings, self._typical(recordings, self._wanted(label, len(recordings))))

    def deal_unlabelled(self) -> None:
        """Deal out the recordings without a label, so that the parts have their sizes."""
        recordings = np.flatnonzero(self.waits)
        missing = self.share * len(self.chosen) - np.count_nonzero(self.chosen)
        wanted = int(np.clip(np.rint(missing), 0, len(recordings)))
        self._assign(recordings, self._typical(recordings, wanted))

    def give_back(self) -> None:
        """Undo a choice for each label whose recordings were all chosen, through other labels."""
        for label in np.flatnonzero(self.total).tolist():
            if self.chosen_with[label] == self.total[label]:
                recording = self.generator.choice(self._recordings_with(label))
                self.chosen[recording] = False
                self.chosen_with -= self._count(np.array([recording]))

    def _wanted(self, label: int, waiting: int) -> int:
        """How many of the waiting recordings with `label` are to be chosen."""
        desired = self.share * self.total[label] - self.chosen_with[label]
        dealt = np.count_nonzero(~self.waits)
        too_few = self.share * dealt - np.count_nonzero(self.chosen)
        wanted = np.rint(np.clip(desired + too_few, np.floor(desired), np.ceil(desired)))
        if desired >= 0.5 and self.chosen_with[label] == 0:
            wanted = max(wanted, 1)
        all_chosen = self.total[label] == waiting + self.chosen_with[label]
        return int(np.clip(wanted, 0, waiting - 1 if all_chosen else waiting))

    def _typical(self, recordings: NDArray[np.int64], wanted: int) -> NDArray[np.int64]:
        """Cut the recordings, by size, into `wanted` parts; of each, the one nearest to its mean size."""
        if wanted == 0:
            return recordings[:0]
        mixed = self.generator.permutation(recordings)
        ordered = mixed[np.argsort(self.clips_of[mixed], kind="stable")]
        starts = np.arange(wanted) * len(ordered) // wanted
        counts = np.diff(starts, append=len(ordered))
        part_of = np.repeat(np.arange(wanted), counts)
        clips = self.clips_of[ordered]
        means = np.add.reduceat(clips, starts) / counts
        nearest_first = np.lexsort((np.abs(clips - means[part_of]), part_of))
        return ordered[nearest_first[starts]]

    def _assign(self, recordings: NDArray[np.int64], chosen: NDArray[np.int64]) -> None:
        self.waits[recordings] = False
        self.chosen[chosen] = True
        self.left -= self._count(recordings)
        self.chosen_with += self._count(chosen)

    def _recordings_with(self, label: int) -> NDArray[np.int64]:
        start, end = self.with_label.indptr[label : label + 2]
        found: NDArray[np.int64] = self.with_label.indices[start:end]
        return found

    def _count(self, recordings: NDArray[np.int64]) -> NDArray[np.int64]:
        """How many of the recordings have each label (labels,)."""
        return np.bincount(self.labels_of[recordings].indices, minlength=len(self.total))
