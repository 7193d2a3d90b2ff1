"""Labels that a training cannot learn."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NAMED = 5


def labels_without_clips(
    targets: NDArray[np.floating[Any]] | NDArray[np.bool_], display_names: Sequence[str]
) -> str | None:
    """One line that names the first labels no training clip has; None where each label has one.

    Args:
        targets: (clips, labels), not 0 where the clip has the label.
        display_names: of the labels, in the order of the columns.
    """
    missing = [display_names[label] for label in np.flatnonzero(~targets.any(axis=0)).tolist()]
    if not missing:
        return None
    named = ", ".join(repr(name) for name in missing[:_NAMED])
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    have = "has" if len(missing) == 1 else "have"
    return (
        f"{len(missing)} of {len(display_names)} labels {have} no training clip and will not be learned:"
        f" {named}{more}"
    )
