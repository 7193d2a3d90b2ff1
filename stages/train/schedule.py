"""The learning rate over the steps of a training."""

import math

from stages.models.encoders.base import FINE_TUNING_RATE, Encoder
from stages.train.choices.optimisation import OptimisationChoices
from stages.train.settings import TrainSettings


def peak_learning_rate(settings: TrainSettings, encoder: Encoder) -> float:
    """Return the learning rate that was set, or what the encoder declares for such a start.

    A head alone, over a frozen encoder with weights, learns at the rate that most encoders are
    fine-tuned at: what an encoder declares below that is to spare its own weights.
    """
    if settings.learning_rate is not None:
        return settings.learning_rate
    if settings.init is None:
        return encoder.learning_rate
    return FINE_TUNING_RATE if settings.freeze_encoder else encoder.fine_tuning_rate


def learning_rate_share(step: int, steps: int, settings: OptimisationChoices) -> float:
    """Return the share of the peak learning rate, in (0, 1], for a step of the optimiser.

    The rate rises linearly over the first `warmup_share` of the steps (Goyal et al., arXiv 1706.02677,
    section 2.2) and then falls, with p going from 0 after the rise to 1 after the last step and f the
    `final_share`: by (1 + cos(pi p)) / 2 of the way from 1 to f (cosine: Loshchilov and Hutter, ICLR
    2017, arXiv 1608.03983, equation 5 without restarts), by f^p (exponential), or not (constant).

    Args:
        step: number of the step, from 0.
        steps: of the whole training, more than `step`.
        settings: `schedule`, `warmup_share` and `final_share` are used.
    """
    rise = settings.warmup_share * steps
    if step < rise:
        return (step + 1) / (rise + 1)
    fallen = (step - rise) / (steps - rise)
    final = settings.final_share
    if settings.schedule == "cosine":
        return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * fallen))
    if settings.schedule == "exponential":
        return math.pow(final, fallen)
    return 1.0
