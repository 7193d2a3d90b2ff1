"""The settings' losses in one: what each choice changes, and what it leaves alone."""

import itertools

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from stages.models.losses.alignment import align_to_distribution, align_to_each, align_to_mean
from stages.models.losses.balance import positive_weights
from stages.models.losses.text_space import centred
from stages.train.choices.losses import LossChoices
from stages.train.objective import Objective, StepLosses

LABELS, CLIPS = 5, 4
TARGETS = torch.tensor(
    [[1.0, 0, 0, 0, 0], [0, 0.7, 0, 0.3, 0.3], [0, 0, 0, 0, 0], [1, 0, 1, 0, 0]]
).double()
DISTANCES = torch.tensor(
    [[0, 1, 2, 5, 6], [1, 0, 3, 4, 5], [2, 3, 0, 6, 7], [5, 4, 6, 0, 1], [6, 5, 7, 1, 0]]
)
WEIGHTS = positive_weights(torch.tensor([5, 50, 100, 150, 0]), 200, 1)


def drawn(rows: int, columns: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, columns, generator=generator, dtype=torch.float64)


# Crowded, as the texts of one template are.
TEXTS = functional.normalize(drawn(LABELS, 6, 0) + 2, dim=1)
LOGITS, PROJECTED = drawn(CLIPS, LABELS, 1), drawn(CLIPS, 6, 2)


def one_hot(**choices: object) -> LossChoices:
    return LossChoices.model_validate({**choices, "alignment_weight": 0})


def losses_by(**choices: object) -> StepLosses:
    objective = Objective(LossChoices.model_validate(choices), TEXTS, DISTANCES, None)
    return objective(LOGITS, PROJECTED, TARGETS)


def test_bce_and_obce_is_the_mean_of_both() -> None:
    plain, by_ontology, both = (
        losses_by(loss=loss).classification for loss in ("bce", "obce", "bce+obce")
    )
    assert plain != by_ontology
    torch.testing.assert_close(both, (plain + by_ontology) / 2)


def test_the_plain_objective_is_torchs_cross_entropy_bit_for_bit() -> None:
    found = Objective(LossChoices(alignment_weight=0), None, None, None)(LOGITS, None, TARGETS)
    expected = functional.binary_cross_entropy_with_logits(LOGITS, TARGETS)
    assert torch.equal(found.loss, expected)
    assert set(found.values()) == {"loss", "classification"}


def test_the_alignment_is_that_of_the_rule_and_is_weighed_by_the_density() -> None:
    rules = {
        "mean": align_to_mean(PROJECTED, TARGETS, TEXTS),
        "each": align_to_each(PROJECTED, TARGETS, TEXTS),
        "soft": align_to_distribution(PROJECTED, TARGETS, TEXTS, 0.2),
    }
    for rule, expected in rules.items():
        found = losses_by(alignment=rule, text_temperature=0.2, alignment_weight=2)
        assert found.alignment is not None
        torch.testing.assert_close(found.alignment, expected)
        alone = found.classification + 2 * TARGETS.mean() * expected
        torch.testing.assert_close(found.loss, alone)
        assert set(found.values()) == {"loss", "classification", "alignment"}


def test_smoothing_leaves_the_alignment_alone() -> None:
    plain, changed = losses_by(alignment="mean"), losses_by(alignment="mean", smoothing="text")
    assert changed.classification != plain.classification
    assert changed.alignment == plain.alignment


@pytest.mark.parametrize("smoothing", ["text", "ontology"])
def test_smoothing_moves_the_best_logits_of_near_labels_alone(smoothing: str) -> None:
    """A clip with label 3 alone: label 4 is next to it, label 2 far."""
    paired = functional.normalize(torch.eye(5) + torch.eye(5)[[0, 1, 2, 4, 3]] * 0.5, dim=1)
    texts = centred(paired)
    choices = one_hot(smoothing=smoothing, smoothing_share=0.2, centre_text=True)
    logits = torch.zeros(1, 5, requires_grad=True)
    objective = Objective(choices, texts, DISTANCES, None)
    objective(logits, None, torch.eye(5)[3:4]).loss.backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    wanted = 0.5 - 5 * logits.grad[0]
    near = 0.2 if smoothing == "ontology" else 0.2 * float(texts[3] @ texts[4])
    assert wanted[3].item() == pytest.approx(1)
    assert wanted[4].item() == pytest.approx(near, rel=1e-4)
    assert wanted[2].item() < 0.2 * 0.1


def test_text_smoothing_is_by_centred_texts_however_the_alignment_is() -> None:
    texts = centred(TEXTS)
    choices = one_hot(smoothing="text", centre_text=True)
    by_centred = Objective(choices, texts, None, None)(LOGITS, None, TARGETS)
    found = losses_by(smoothing="text", centre_text=False)
    assert torch.equal(found.classification, by_centred.classification)


def test_obce_weighs_by_the_labels_before_smoothing() -> None:
    """With a share of nearly nothing every label has a target above 0, and none of them counts."""
    plain = losses_by(loss="obce").classification
    found = losses_by(loss="obce", smoothing="ontology", smoothing_share=1e-9).classification
    torch.testing.assert_close(found, plain, rtol=1e-7, atol=0)


def test_balance_weighs_by_the_labels_before_smoothing() -> None:
    """Labels that a clip lacks weigh alike, so smoothing moves a rare one as it does a frequent one."""
    choices = one_hot(smoothing="ontology", smoothing_share=0.2)
    gradients = []
    for weights in (None, WEIGHTS):
        logits = LOGITS.clone().requires_grad_()
        total = Objective(choices, None, DISTANCES, weights)(logits, None, TARGETS).loss
        gradients.append(torch.autograd.grad(total, logits)[0][TARGETS == 0])
    torch.testing.assert_close(gradients[1], WEIGHTS[0, 0] * gradients[0])


@pytest.mark.parametrize("loss", ["bce", "obce", "bce+obce"])
def test_balance_works_with_every_loss(loss: str) -> None:
    """Against the gradient of a label that the clip lacks, its own rare label's grows by 195 / 5."""
    logits = LOGITS.clone().requires_grad_()
    shares = []
    for weights in (None, WEIGHTS):
        objective = Objective(one_hot(loss=loss), None, DISTANCES, weights)
        total = objective(logits, None, TARGETS).loss
        (gradient,) = torch.autograd.grad(total, logits)
        shares.append(gradient[0, 0] / gradient[0, 1])
    assert (shares[1] / shares[0]).item() == pytest.approx(195 / 5, rel=1e-5)


@pytest.mark.parametrize(
    ("loss", "smoothing", "alignment"),
    list(
        itertools.product(
            ["bce", "obce", "bce+obce"], ["none", "text", "ontology"], ["mean", "soft", "head"]
        )
    ),
)
def test_the_gradient_is_the_numerical_one(loss: str, smoothing: str, alignment: str) -> None:
    choices = {"loss": loss, "smoothing": smoothing, "alignment": alignment}
    objective = Objective(LossChoices.model_validate(choices), TEXTS, DISTANCES, WEIGHTS)
    inputs = (LOGITS.clone().requires_grad_(), PROJECTED.clone().requires_grad_())
    assert torch.autograd.gradcheck(lambda x, z: objective(x, z, TARGETS).loss, inputs)


@pytest.mark.parametrize("alignment", ["mean", "each", "soft"])
def test_low_precision_gives_a_finite_loss_and_gradient(alignment: str) -> None:
    choices = {"loss": "bce+obce", "smoothing": "text", "alignment": alignment}
    objective = Objective(LossChoices.model_validate(choices), TEXTS.float(), DISTANCES, WEIGHTS)
    logits, projected = (x.bfloat16().requires_grad_() for x in (LOGITS, PROJECTED))
    loss = objective(logits, projected, TARGETS.float()).loss
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.dtype == torch.float32
    for given in (logits, projected):
        assert given.grad is not None
        assert given.grad.isfinite().all()


@pytest.mark.parametrize(
    ("choices", "missing"),
    [
        ({"loss": "obce"}, "distances"),
        ({"loss": "bce+obce"}, "distances"),
        ({"smoothing": "ontology"}, "distances"),
        ({"smoothing": "text"}, "text embeddings"),
    ],
)
def test_what_the_settings_need_must_be_given(choices: dict[str, str], missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        Objective(LossChoices.model_validate(choices), None, None, None)


def test_alignment_without_texts_or_projection_is_refused() -> None:
    choices = LossChoices(alignment="mean", alignment_weight=0.5)
    with pytest.raises(ValueError, match="text embeddings"):
        Objective(choices, None, None, None)(LOGITS, PROJECTED, TARGETS)
    with pytest.raises(ValueError, match="projection"):
        Objective(choices, TEXTS, None, None)(LOGITS, None, TARGETS)
