"""What a training makes small."""

from typing import Literal

from pydantic import ConfigDict, Field

from stages.settings import StageSettings


class LossChoices(StageSettings):
    """Classification loss and alignment with the labels' texts."""

    model_config = ConfigDict(title="Losses")

    loss: Literal["bce", "obce", "bce+obce"] = Field(
        "bce",
        description="Classification loss: binary cross-entropy, OBCE, which weighs a false alarm by its distance in the ontology, or the mean of both.",
    )
    positive_balance: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Weigh a label's clips by (clips without it / clips with it) to this power: 1 gives rare labels as much weight as frequent ones.",
    )
    smoothing: Literal["none", "text", "ontology"] = Field(
        "none",
        description="Raise the targets of labels near to a clip's own, by their texts or in the ontology.",
    )
    smoothing_share: float = Field(
        0.1, ge=0, le=0.5, description="Target of a label as near as can be, with --smoothing."
    )
    alignment_weight: float = Field(
        0.5,
        ge=0,
        le=100,
        description="Pull of the text embeddings, relative to the classification loss; 0: one-hot training.",
    )
    alignment: Literal["head", "mean", "each", "soft"] = Field(
        "head",
        description="What follows the texts: the head's own distribution over the labels; or a projection of the clip's embedding, drawn to the mean of its texts, to each, or to their distribution (soft).",
    )
    text_temperature: float | None = Field(
        None,
        gt=0,
        le=10,
        description="Sharpness of the texts' distribution over the labels, with the rules head and soft; lower: sharper. [default: so that a label keeps half of its own]",
    )
    text_pull: float = Field(
        2.0,
        ge=0,
        le=100,
        description="At scoring: how much a label gains whose text is near to those of what is heard; 0: nothing.",
    )
    centre_text: bool | None = Field(
        None,
        description="Subtract the labels' mean text embedding first. [default: not with the rule head, with the others]",
    )

    @property
    def centres(self) -> bool:
        """Whether the texts are centred."""
        return self.alignment != "head" if self.centre_text is None else self.centre_text
