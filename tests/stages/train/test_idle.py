"""A setting that does nothing beside the others is refused by name."""

import pytest

from stages.errors import UsageError
from stages.train.idle import refuse_idle
from stages.train.settings import TrainSettings


@pytest.mark.parametrize(
    ("values", "named", "needs"),
    [
        ({"text_temperature": 0.2, "alignment": "mean"}, "text_temperature", "--alignment head"),
        (
            {"text_temperature": 0.2, "alignment": "soft", "alignment_weight": 0},
            "alignment",
            "--alignment-weight",
        ),
        ({"centre_text": False, "alignment_weight": 0}, "centre_text", "--alignment-weight"),
        ({"smoothing_share": 0.2}, "smoothing_share", "--smoothing"),
        ({"ema_decay": 0.9}, "ema_decay", "--average ema"),
        ({"ema_decay": 0.9, "average": "swa"}, "ema_decay", "--average ema"),
        ({"swa_share": 0.5, "patience": 3}, "swa_share", "--average swa"),
        ({"patience": 3, "average": "swa", "epochs": 12}, "patience", "--average none or ema"),
        ({"mixup_of": "log-mel", "mixup_alpha": 0}, "mixup_of", "--mixup-alpha"),
        ({"mixup_share": 0.5, "mixup_alpha": 0}, "mixup_share", "--mixup-alpha"),
        ({"patchout_time": 10}, "patchout_time", "--encoder passt"),
        ({"patchout_mel": 2, "encoder": "ast"}, "patchout_mel", "--encoder passt"),
        ({"final_share": 0.1, "schedule": "constant"}, "final_share", "--schedule"),
        ({"layer_decay": 0.8, "freeze_encoder": True}, "layer_decay", "--no-freeze-encoder"),
    ],
)
def test_an_idle_setting_is_refused(values: dict[str, object], named: str, needs: str) -> None:
    settings = TrainSettings.model_validate(values)
    with pytest.raises(UsageError) as raised:
        refuse_idle(settings, values)
    option = "--" + named.replace("_", "-")
    assert raised.value.message.startswith(f"{option} does nothing without {needs}")
    assert option in str(raised.value.next_step)
    refuse_idle(settings, [])  # as from a file or a recipe


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"text_temperature": 0.2, "alignment": "soft"},
        {"smoothing_share": 0.2, "smoothing": "ontology"},
        {"ema_decay": 0.9, "average": "ema"},
        {"patchout_time": 10, "encoder": "passt"},
        {"patchout_time": 10, "recipe": "passt"},
        {"patchout_time": 10, "init": "weights.pt"},
        {"swa_share": 0.9, "recipe": "ast"},
        {"patience": 3, "average": "swa", "epochs": 13},
        {"patience": 3, "average": "swa", "epochs": 4, "swa_share": 1.0},
        {"alignment_weight": 0},
        {"epochs": 0, "init": "x.pt", "name": "as-it-is", "encoder": "passt", "device": "cpu"},
        {"epochs": 0, "init": "x.pt", "clip_seconds": 2, "valid_share": 0.2, "seed": 1},
        {"epochs": 0, "init": "x.pt", "batch_size": 8, "alignment_weight": 0, "smoothing": "none"},
        {"epochs": 0, "init": "x.pt", "mixup_alpha": 0, "compile": False},
    ],
)
def test_a_setting_that_matters_is_not(values: dict[str, object]) -> None:
    refuse_idle(TrainSettings.model_validate(values), values)


@pytest.mark.parametrize(
    "value",
    [
        {"loss": "obce"},
        {"alignment": "mean"},
        {"alignment_weight": 0.5},
        {"mixup_alpha": 0.3},
        {"recipe": "ast"},
        {"learning_rate": 1e-4},
        {"layer_decay": 0.75},
        {"freeze_encoder": True},
        {"sampling": "balanced"},
        {"clips_per_epoch": 100},
        {"select_by": "OmAP"},
        {"patience": 3},
        {"compile": True},
        {"precision": "float32"},
        {"cache_gb": 1.0},
    ],
    ids=str,
)
def test_without_training_what_is_of_a_training_is_refused(value: dict[str, object]) -> None:
    values = {"epochs": 0, "init": "x.pt"} | value
    settings = TrainSettings.model_validate(values)
    (name,) = value
    option = "--" + name.replace("_", "-")
    with pytest.raises(UsageError, match=f"{option} does nothing without --epochs above 0"):
        refuse_idle(settings, values)
    refuse_idle(settings, ["epochs", "init"])  # the rest as from a file
    if name != "recipe":
        trained = settings.model_copy(update={"epochs": 1})
        refuse_idle(trained, [name])
