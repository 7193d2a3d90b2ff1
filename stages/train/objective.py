"""What a training makes small: the settings' losses in one."""

from dataclasses import dataclass

from torch import Tensor

from stages.models.losses.alignment import (
    align_head,
    align_to_distribution,
    align_to_each,
    align_to_mean,
    spreading_temperature,
)
from stages.models.losses.balance import balanced_cells
from stages.models.losses.classification import cross_entropy_cells
from stages.models.losses.ontology import ontology_cross_entropy
from stages.models.losses.smoothing import ontology_closeness, smoothed, text_closeness
from stages.models.losses.text_space import centred
from stages.models.losses.weighing import combined_loss
from stages.train.choices.losses import LossChoices


@dataclass(frozen=True)
class StepLosses:
    """What a step measured, each a scalar. `alignment` is the loss before it is weighed."""

    loss: Tensor
    classification: Tensor
    alignment: Tensor | None

    def values(self) -> dict[str, float]:
        """The measures by name."""
        named = {
            "loss": self.loss,
            "classification": self.classification,
            "alignment": self.alignment,
        }
        return {name: value.item() for name, value in named.items() if value is not None}


class Objective:
    """The loss of a whole batch, all processes' clips together: its parts are means over all of them.

    `temperature` is what the texts' distributions over the labels are spread by, where there are any.
    """

    def __init__(
        self,
        settings: LossChoices,
        text_embeddings: Tensor | None,
        distances: Tensor | None,
        positive_weights: Tensor | None,
    ) -> None:
        """Prepare what is the same for every batch. All tensors are on the device of the logits.

        Args:
            settings: the choices of losses.
            text_embeddings: (labels, dimensions), unit length, centred as `centre_text` says; needed
                for alignment and for smoothing by text.
            distances: (labels, labels), edges of the ontology; needed for OBCE and for smoothing by
                ontology.
            positive_weights: (2, labels), of `balance.positive_weights`; None: every cell weighs 1.

        Raises:
            ValueError: the settings need something that is None.
        """
        self._settings, self._weights = settings, positive_weights
        self._texts, self._distances = text_embeddings, distances
        self._closeness = self._find_closeness()
        self.temperature = self._find_temperature()
        if settings.loss != "bce" and distances is None:
            raise ValueError(f"the loss {settings.loss} needs distances")

    def __call__(self, logits: Tensor, projected: Tensor | None, targets: Tensor) -> StepLosses:
        """Loss of a batch, in at least float32; outside autocast.

        Args:
            logits: (batch, labels), before the sigmoid, of any floating dtype.
            projected: (batch, dimensions), clip embeddings in the text space; None: no rule needs them.
            targets: (batch, labels) in [0, 1], float32, mixed as the clips are; they are smoothed here.

        Raises:
            ValueError: the settings align, and there is no text or nothing projected to align.
        """
        classification = self._classification(logits, targets)
        alignment = self._alignment(logits, projected, targets)
        if alignment is None:
            return StepLosses(classification, classification, None)
        weight = self._settings.alignment_weight
        loss = combined_loss(classification, alignment, targets, weight)
        return StepLosses(loss, classification, alignment)

    def _classification(self, logits: Tensor, targets: Tensor) -> Tensor:
        wanted = targets
        if self._closeness is not None:
            wanted = smoothed(targets, self._closeness, self._settings.smoothing_share)
        cells = cross_entropy_cells(logits, wanted)
        if self._weights is not None:
            cells = balanced_cells(cells, logits, targets, self._weights)
        plain = cells.mean()
        if self._settings.loss == "bce" or self._distances is None:
            return plain
        # By the labels that a clip has: smoothed targets would make every label one of them.
        by_ontology = ontology_cross_entropy(cells, targets, self._distances)
        return by_ontology if self._settings.loss == "obce" else (plain + by_ontology) / 2

    def _alignment(
        self, logits: Tensor, projected: Tensor | None, targets: Tensor
    ) -> Tensor | None:
        if self._settings.alignment_weight == 0:
            return None
        if self._texts is None:
            raise ValueError("alignment needs text embeddings")
        if self._settings.alignment == "head":
            return align_head(logits, targets, self._texts, self.temperature)
        if projected is None:
            raise ValueError(f"the rule {self._settings.alignment} needs a projection")
        match self._settings.alignment:
            case "mean":
                return align_to_mean(projected, targets, self._texts)
            case "each":
                return align_to_each(projected, targets, self._texts)
            case "soft":
                return align_to_distribution(projected, targets, self._texts, self.temperature)

    def _find_temperature(self) -> float:
        """What the texts' distributions are spread by; 0: there are none."""
        if self._texts is None or self._settings.alignment not in ("head", "soft"):
            return 0.0
        return self._settings.text_temperature or spreading_temperature(self._texts)

    def _find_closeness(self) -> Tensor | None:
        """How near labels are, for smoothing: (labels, labels)."""
        match self._settings.smoothing:
            case "none":
                return None
            case "text":
                if self._texts is None:
                    raise ValueError("smoothing by text needs text embeddings")
                is_centred = self._settings.centres
                return text_closeness(self._texts if is_centred else centred(self._texts))
            case "ontology":
                if self._distances is None:
                    raise ValueError("smoothing by ontology needs distances")
                return ontology_closeness(self._distances)
