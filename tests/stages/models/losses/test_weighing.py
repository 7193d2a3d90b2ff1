"""The weight of alignment means the same for few labels and for many."""

import pytest
import torch

from stages.models.losses.weighing import combined_loss


@pytest.mark.parametrize("labels", [10, 527])
def test_the_alignment_is_charged_once_for_every_label_that_a_clip_has(labels: int) -> None:
    targets = torch.zeros(4, labels)
    targets[0, :2] = targets[1, 3] = targets[2, 5] = 1  # 4 labels in 4 clips
    found = combined_loss(torch.tensor(0.2), torch.tensor(0.8), targets, 0.5)
    assert found.item() == pytest.approx(0.2 + 0.5 * 4 / (4 * labels) * 0.8)


def test_weight_nought_is_the_classification_loss_itself() -> None:
    classification = torch.tensor(0.2)
    assert combined_loss(classification, torch.tensor(0.8), torch.ones(2, 2), 0) is classification
