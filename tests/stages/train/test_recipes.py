"""Recipes are defaults of a paper's: valid, complete where they say so, and below what is given."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from stages.train.choices.losses import LossChoices
from stages.train.choices.running import RecipeName
from stages.train.recipes import RECIPES
from stages.train.settings import TrainSettings

NAMES = sorted(RECIPES)


def test_every_recipe_that_can_be_named_is_there() -> None:
    assert set(RECIPES) == set(RecipeName.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_sets_what_it_says_and_nothing_else(name: RecipeName) -> None:
    settings, plain = TrainSettings(recipe=name), TrainSettings()
    for field in TrainSettings.model_fields:
        expected = RECIPES[name].values.get(field, getattr(plain, field))
        assert getattr(settings, field) == (name if field == "recipe" else expected)


@pytest.mark.parametrize("name", NAMES)
def test_alignment_is_left_to_the_person(name: RecipeName) -> None:
    of_the_loss = set(LossChoices.model_fields) & set(RECIPES[name].values)
    assert of_the_loss == {"loss"}


@given(
    name=st.sampled_from(NAMES),
    chosen=st.fixed_dictionaries(
        {},
        optional={
            "encoder": st.sampled_from(["small", "mn40"]),
            "epochs": st.integers(1, 9),
            "learning_rate": st.floats(1e-6, 1.0),
            "batch_size": st.just("auto"),
            "patchout_time": st.just(0),
            "seed": st.integers(0, 9),
        },
    ),
)
def test_what_is_given_wins(name: RecipeName, chosen: dict[str, object]) -> None:
    settings = TrainSettings.model_validate({"recipe": name, **chosen})
    assert {key: getattr(settings, key) for key in chosen} == chosen
    for key, value in RECIPES[name].values.items():
        elsewhere = "patchout" in key and settings.encoder != "passt"  # is for that encoder alone
        assert key in chosen or elsewhere or getattr(settings, key) == value


def test_none_is_not_given() -> None:
    settings = TrainSettings(recipe="ast", encoder=None, learning_rate=None, clips_per_epoch=None)
    assert (settings.encoder, settings.learning_rate) == ("ast", 1e-5)


def test_weights_to_start_from_decide_the_encoder() -> None:
    settings = TrainSettings(recipe="efficientat", init="efficientat:mn04_as")
    assert settings.encoder is None
    assert settings.learning_rate == 8e-4
    assert TrainSettings(recipe="passt", init="x.pt", encoder="passt").encoder == "passt"


@pytest.mark.parametrize("recipe", ["deepest", 3, ["ast"], {"ast": 1}])
def test_no_such_recipe(recipe: object) -> None:
    with pytest.raises(ValidationError, match="recipe"):
        TrainSettings.model_validate({"recipe": recipe})


@pytest.mark.parametrize("given", [None, 3, [("recipe", "ast")]])
def test_settings_that_are_no_mapping(given: object) -> None:
    with pytest.raises(ValidationError):
        TrainSettings.model_validate(given)


def test_the_settings_do_not_need_torch() -> None:
    code = "import sys, stages.train.settings; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
