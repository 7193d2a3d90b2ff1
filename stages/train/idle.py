"""Options that would do nothing: a run must not be named for a choice that it did not make."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from stages.errors import UsageError
from stages.train.choices.optimisation import epochs_averaged
from stages.train.settings import TrainSettings


@dataclass(frozen=True)
class _Dependent:
    """A setting, what has to be chosen for it to matter, and whether it is."""

    name: str
    needs: str
    matters: Callable[[TrainSettings], bool]


def _leaves_patches_out(chosen: TrainSettings) -> bool:
    """Whether the encoder can; which one --init holds is not known here."""
    return chosen.encoder == "passt" or (chosen.encoder is None and chosen.init is not None)


def _patience_may_end(chosen: TrainSettings) -> bool:
    """Whether patience can run out: epochs are waited for from the first average on."""
    if not chosen.patience or chosen.averaging != "swa":
        return True
    return chosen.patience < epochs_averaged(chosen.swa_share, chosen.epochs)


_DEPENDENT = (
    _Dependent("alignment", "--alignment-weight above 0", lambda it: it.alignment_weight > 0),
    _Dependent("text_pull", "--alignment-weight above 0", lambda it: it.alignment_weight > 0),
    _Dependent("centre_text", "--alignment-weight above 0", lambda it: it.alignment_weight > 0),
    _Dependent(
        "text_temperature",
        "--alignment head or soft",
        lambda it: it.alignment in ("head", "soft"),
    ),
    _Dependent(
        "text_temperature", "--alignment-weight above 0", lambda it: it.alignment_weight > 0
    ),
    _Dependent("smoothing_share", "--smoothing", lambda it: it.smoothing != "none"),
    _Dependent("mixup_share", "--mixup-alpha above 0", lambda it: it.mixup_alpha > 0),
    _Dependent("mixup_of", "--mixup-alpha above 0", lambda it: it.mixup_alpha > 0),
    _Dependent("patchout_time", "--encoder passt", _leaves_patches_out),
    _Dependent("patchout_mel", "--encoder passt", _leaves_patches_out),
    _Dependent(
        "final_share", "--schedule cosine or exponential", lambda it: it.schedule != "constant"
    ),
    _Dependent("layer_decay", "--no-freeze-encoder", lambda it: not it.freeze_encoder),
    _Dependent("ema_decay", "--average ema", lambda it: it.averaging == "ema"),
    _Dependent("swa_share", "--average swa", lambda it: it.averaging == "swa"),
    _Dependent(
        "patience", "--average none or ema, or more epochs in --average swa", _patience_may_end
    ),
)

# What still matters where weights are taken over as they are. Whatever is not here is of a training.
_WITHOUT_TRAINING = frozenset(
    {
        "name",
        "encoder",
        "init",
        "seed",
        "device",
        "clip_seconds",
        "valid_share",
        "epochs",
        "batch_size",
    }
)
_LEFT_OUT = (0, "none")  # --alignment-weight 0 is true of what is not trained


def refuse_idle(settings: TrainSettings, given: Collection[str]) -> None:
    """Refuse a setting that was `given`, but does nothing beside the others.

    Those of a recipe or a file are not meant: they hold whole sets, of which one part is replaced.

    Raises:
        UsageError: there is one; it names what it needs.
    """
    for name in TrainSettings.model_fields:
        if name in given and settings.epochs == 0 and _is_of_training(settings, name):
            raise _idle(name, "--epochs above 0")
    for dependent in _DEPENDENT:
        if dependent.name in given and not dependent.matters(settings):
            raise _idle(dependent.name, dependent.needs)


def _is_of_training(settings: TrainSettings, name: str) -> bool:
    return name not in _WITHOUT_TRAINING and getattr(settings, name) not in _LEFT_OUT


def _idle(name: str, needs: str) -> UsageError:
    option = f"--{name.replace('_', '-')}"
    return UsageError(f"{option} does nothing without {needs}", f"add that, or leave {option} out")
