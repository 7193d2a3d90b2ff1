"""Keep clips of the split 'train' for validation, where a data set has none for it."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse
from numpy.typing import NDArray

from stages.train.stratification import stratified_part


def carve(clips: pa.Table, labels: int, valid_share: float, seed: int) -> pa.Table:
    """Set the split of some training clips to 'valid', where no clip is of that split.

    A recording moves as a whole, with all its training clips: clips of one recording are so alike that a
    model would be judged by what it has seen. Close to `valid_share` of the training recordings move,
    and of every label's, with about as large a share of the clips (`stratified_part`); every label keeps
    one recording for training at least.

    Args:
        clips: rows of clips.parquet.
        labels: number of labels.
        valid_share: share of the recordings, from 0 to 0.5; 0 changes nothing.
        seed: decides which; the same table and seed give the same split.

    Returns:
        The table with its column `split` changed; as it was where it has a split 'valid'.
    """
    if valid_share == 0 or pc.any(pc.equal(clips["split"], "valid")).as_py():
        return clips
    in_train = pc.equal(clips["split"], "train").to_numpy()
    train = clips.filter(pa.array(in_train))
    recording_of = _recordings(train)
    labels_of = _labels_of(train, recording_of, labels)
    clips_of = np.bincount(recording_of, minlength=labels_of.shape[0])
    chosen = stratified_part(labels_of, clips_of, valid_share, np.random.default_rng(seed))
    moved = np.zeros(clips.num_rows, dtype=np.bool_)
    moved[in_train] = chosen[recording_of]
    split = pc.if_else(pa.array(moved), "valid", clips["split"])
    index = clips.schema.get_field_index("split")
    return clips.set_column(index, clips.schema.field(index), split)


def carved_line(before: pa.Table, after: pa.Table) -> str | None:
    """Say how much `carve` has moved from the table before to the one after; None: nothing."""
    moved = pc.and_(pc.equal(before["split"], "train"), pc.equal(after["split"], "valid"))
    clips = pc.sum(moved).as_py()
    if not clips:
        return None
    recordings = pc.count_distinct(before["recording_id"].filter(moved)).as_py()
    return (
        f"the data set has no split 'valid': kept from training for it are {clips} clips"
        f" (recordings: {recordings})"
    )


def _recordings(clips: pa.Table) -> NDArray[np.int32]:
    """Number of each clip's recording (clips,), in the order in which they first come."""
    numbers: NDArray[np.int32] = (
        clips["recording_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    )
    return numbers


def _labels_of(
    clips: pa.Table, recording_of: NDArray[np.int32], labels: int
) -> scipy.sparse.csr_array:
    """(recordings, labels): one entry where a clip of the recording has the label."""
    indices = clips["label_indices"].combine_chunks()
    lengths = pc.list_value_length(indices).to_numpy(zero_copy_only=False)
    recordings = recording_of.max(initial=-1) + 1
    pairs = np.repeat(recording_of, lengths), indices.flatten().to_numpy()
    entries = np.ones(len(pairs[0]), dtype=np.int32)
    return scipy.sparse.coo_array((entries, pairs), shape=(recordings, labels)).tocsr()
