"""The ways to train that are compared; a new one is one line.

One thing is changed at a time: in the upper half from one-hot training, in the lower half from one
form of SPA (texts are paths, not centred; rule head; weight 0.5; the texts take part in scoring; beside
binary cross-entropy), and, for the rules of a projection, from the rule mean with centred texts. It is
not the full cross product. `softmax` is a control: its temperature is so low that a clip's own labels
alone count, and the texts do not, neither in training nor at scoring. What the losses are made of is
said in full, so that a change of the defaults of `spa train` does not change what a name here means;
all else is the default.
"""

from dataclasses import dataclass

from stages.train.settings import TrainSettings

ONE_HOT_CHANGES: tuple[tuple[str, object], ...] = (
    ("loss", "bce"),
    ("positive_balance", 0.0),
    ("smoothing", "none"),
    ("alignment_weight", 0.0),
)
SPA_CHANGES: tuple[tuple[str, object], ...] = (
    ("loss", "bce"),
    ("positive_balance", 0.0),
    ("smoothing", "none"),
    ("alignment_weight", 0.5),
    ("alignment", "head"),
    ("centre_text", False),
    ("text_temperature", None),
    ("text_pull", 2.0),
)
PATH = "{path}"


@dataclass(frozen=True)
class Contender:
    """A way to train: the train settings that it changes, and the template of the labels' texts."""

    name: str
    changes: tuple[tuple[str, object], ...]
    prompt: str = PATH

    def settings(self, base: TrainSettings, seed: int) -> TrainSettings:
        """The settings of a set's trainings, `base`, with this contender's changes and a seed.

        Raises:
            pydantic.ValidationError: a change that the train stage has no setting for.
        """
        changes = {**dict(self.changes), "seed": seed}
        return TrainSettings.model_validate({**base.model_dump(exclude_unset=True), **changes})


def _one_hot(name: str, **changes: object) -> Contender:
    return Contender(name, (*ONE_HOT_CHANGES, *changes.items()))


def _spa(name: str, prompt: str = PATH, **changes: object) -> Contender:
    return Contender(name, (*SPA_CHANGES, *changes.items()), prompt)


ONE_HOT = _one_hot("one-hot")
CONTENDERS = (
    ONE_HOT,
    _one_hot("obce", loss="obce"),
    _one_hot("bce+obce", loss="bce+obce"),
    _one_hot("smooth-text", smoothing="text"),
    _one_hot("smooth-ontology", smoothing="ontology"),
    _spa("spa"),
    _spa("spa-0.25", alignment_weight=0.25),
    _spa("spa-1", alignment_weight=1.0),
    _spa("spa-2", alignment_weight=2.0),
    _spa("spa-centred", centre_text=True),
    _spa("spa-name", prompt="{name}"),
    _spa("spa-0.1", text_temperature=0.1),
    _spa("spa-unpulled", text_pull=0.0),
    _spa("softmax", text_temperature=0.01, text_pull=0.0),
    _spa("spa-obce", loss="obce"),
    _spa("mean", alignment="mean", centre_text=True, text_pull=0.0),
    _spa("mean-1", alignment="mean", centre_text=True, alignment_weight=1.0, text_pull=0.0),
    _spa("mean-uncentred", alignment="mean", text_pull=0.0),
    _spa("mean-name", prompt="{name}", alignment="mean", centre_text=True, text_pull=0.0),
    _spa("each", alignment="each", centre_text=True, text_pull=0.0),
    _spa("soft", alignment="soft", centre_text=True, text_pull=0.0),
    Contender("defaults", ()),
)


def contender_named(name: str) -> Contender:
    """The contender called `name`.

    Raises:
        StopIteration: there is none; the command line offers the names that there are.
    """
    return next(contender for contender in CONTENDERS if contender.name == name)
