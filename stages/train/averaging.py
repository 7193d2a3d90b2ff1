"""An average of the weights beside the weights: what is validated and kept."""

from collections.abc import Sequence
from typing import Any, cast

from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from stages.models.tagger import Tagger
from stages.train.choices.optimisation import epochs_averaged
from stages.train.settings import TrainSettings


def make_average(tagger: Tagger, settings: TrainSettings) -> "WeightAverage":
    """Build what `settings.averaging` says, over a tagger with its weights, on its device."""
    if settings.averaging == "ema":
        return ExponentialAverage(tagger, settings.ema_decay)
    if settings.averaging == "swa":
        return EqualAverage(tagger, settings.swa_share)
    return WeightAverage(tagger)


class WeightAverage:
    """No average: the tagger's own weights."""

    def __init__(self, tagger: Tagger) -> None:
        """Stand beside `tagger`, which is trained."""
        self._trained = tagger

    @property
    def tagger(self) -> Tagger:
        """The tagger to validate: in evaluation mode if it is not the one that is trained."""
        return self._trained

    def update_after_step(self) -> None:
        """Take in the weights after a step of the optimiser."""

    def update_after_epoch(self, epoch: int, epochs: int) -> None:
        """Take in the weights after an epoch, counted from 1, of `epochs`."""

    def weights(self) -> dict[str, Tensor]:
        """Copies on the CPU of the weights of `tagger`, by the names of its state_dict."""
        state = self.tagger.state_dict()
        return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}

    def state_dict(self) -> dict[str, Any]:
        """What going on later needs: the average and how many are in it; nothing without one."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict` of the same settings."""


class _Averaged(WeightAverage):
    """An average in a second tagger. Batch norms' statistics are averaged like weights.

    So does PSLA (Gong, Chung, Glass, IEEE/ACM TASLP 2021, arXiv 2102.01243), and no pass over
    the clips is needed to measure them anew.
    """

    def __init__(self, tagger: Tagger, model: AveragedModel) -> None:
        super().__init__(tagger)
        self._average = model
        self._average.requires_grad_(False).eval()

    @property
    def tagger(self) -> Tagger:
        """The average; the tagger that is trained as long as nothing has been averaged."""
        return cast(Tagger, self._average.module) if self._average.n_averaged else self._trained

    def state_dict(self) -> dict[str, Any]:
        """See `WeightAverage`."""
        return self._average.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `WeightAverage`."""
        self._average.load_state_dict(state)


class ExponentialAverage(_Averaged):
    """EMA: after each step, average = d * average + (1 - d) * weights.

    Polyak and Juditsky, SIAM J. Control and Optimization 30 (1992), average over all steps; the
    exponential form forgets the first ones. With n averages taken before, d = min(decay, (1 + n) /
    (10 + n)), the rule of TensorFlow's ExponentialMovingAverage: otherwise a training of a few hundred
    steps would keep what it started from. The first average is the weights after the first step.
    """

    def __init__(self, tagger: Tagger, decay: float) -> None:
        """Average with `decay` from 0 to below 1."""
        self._decay = decay
        super().__init__(tagger, AveragedModel(tagger, multi_avg_fn=self._mix, use_buffers=True))

    def update_after_step(self) -> None:
        """See `WeightAverage`."""
        self._average.update_parameters(self._trained)

    def _mix(self, average: Sequence[Tensor], weights: Sequence[Tensor], _: Tensor | int) -> None:
        # torch's own count is on the device, and asking it there would stop the GPU.
        taken = int(self._average.n_averaged)
        decay = min(self._decay, (1 + taken) / (10 + taken))
        mix = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]  # torch has no type here
        mix(average, weights, taken)


class EqualAverage(_Averaged):
    """SWA: the mean of the weights after each of the last epochs.

    Izmailov et al., UAI 2018, arXiv 1803.05407, algorithm 1 with one average an epoch. Until the first
    of these epochs is over there is no average: the tagger's own weights are validated.
    """

    def __init__(self, tagger: Tagger, share: float) -> None:
        """Take in the last `share` of the epochs, in (0, 1], rounded up."""
        self._share = share
        super().__init__(tagger, AveragedModel(tagger, use_buffers=True))

    def update_after_epoch(self, epoch: int, epochs: int) -> None:
        """See `WeightAverage`."""
        if epoch > epochs - epochs_averaged(self._share, epochs):
            self._average.update_parameters(self._trained)
