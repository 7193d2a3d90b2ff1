"""A training's settings as TOML: what is written reads back the same, what is wrong is named."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.errors import UsageError
from stages.train.choices.running import RecipeName
from stages.train.config import read_config, refuse_other_recipe, write_config
from stages.train.recipes import RECIPES
from stages.train.settings import TrainSettings


def read_back(settings: TrainSettings, path: Path) -> TrainSettings:
    write_config(path, settings)
    return TrainSettings.model_validate(read_config(path))


@pytest.mark.parametrize(
    "settings",
    [
        TrainSettings(),
        *(TrainSettings(recipe=name, seed=3) for name in RECIPES),
        TrainSettings(recipe="ast", init="a.pt", epochs=0),
        TrainSettings(recipe="panns", learning_rate=None, clips_per_epoch=None),
        TrainSettings(batch_size="auto", learning_rate=1e-5, compile=True, centre_text=False),
    ],
)
def test_what_is_written_reads_back_the_same(settings: TrainSettings, tmp_path: Path) -> None:
    assert read_back(settings, tmp_path / "train.toml") == settings


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@given(
    init=TEXT,
    weight_decay=st.floats(0, 10),
    learning_rate=st.floats(0, 10, exclude_min=True),
    clip=st.floats(0, 1e9, exclude_min=True),
    clips=st.none() | st.integers(1, 10**9),
)
def test_any_value_reads_back_the_same(
    init: str,
    weight_decay: float,
    learning_rate: float,
    clip: float,
    clips: int | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = TrainSettings(
        init=init,
        weight_decay=weight_decay,
        learning_rate=learning_rate,
        clip_gradient_norm=clip,
        clips_per_epoch=clips,
    )
    path = tmp_path_factory.getbasetemp() / "any.toml"
    assert read_back(settings, path) == settings


def test_every_setting_is_named_in_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "train.toml"
    write_config(path, TrainSettings(recipe="passt"))
    text = path.read_text(encoding="utf-8")
    assert RECIPES["passt"].citation in text
    set_in_it = tomllib.loads(text).keys()
    for name in TrainSettings.model_fields:
        assert name in set_in_it or f"\n# {name}: not given\n" in text
    groups = [line[2:] for line in text.splitlines() if line.startswith("# ")][3:]
    titles = [group for group in groups if ":" not in group]
    assert titles == ["Running", "Losses", "Data", "Optimisation", "Augmentation"]


def test_keys_with_dashes(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('batch-size = "auto"\ncentre_text = false\nweight-decay = 1\n')
    found = read_config(path)
    assert found == {"batch_size": "auto", "centre_text": False, "weight_decay": 1}


def test_a_path_of_init_stays_as_it_was_given(tmp_path: Path) -> None:
    settings = TrainSettings(init="weights/mn04.pt")
    assert read_back(settings, tmp_path / "train.toml").init == "weights/mn04.pt"


@pytest.mark.parametrize(
    ("content", "said", "step"),
    [
        ("epoch = 3", "'epoch'", "did you mean epochs"),
        ("workspace = 'W'", "'workspace'", "spa train --help"),
        ("epochs = '3'", "epochs to '3'", "spa train --help"),
        ("epochs = 3.5", "epochs to 3.5", "spa train --help"),
        ("epochs = true", "epochs to True", "spa train --help"),
        ("epochs = [3]", "epochs to [3]", "spa train --help"),
        ("epochs = 2026-11-22", "epochs to", "spa train --help"),
        ("epochs = -1", "greater than or equal to 0", "spa train --help"),
        ("compile = 1", "compile to 1", "spa train --help"),
        ("weight_decay = nan", "weight_decay to nan", "spa train --help"),
        ("learning-rate = inf", "learning-rate to inf", "spa train --help"),
        ("batch_size = 'big'", "batch_size to 'big'", "spa train --help"),
        ("batch_size = '8'", "batch_size to '8'", "spa train --help"),
        ("name = '../elsewhere'", "name to '../elsewhere'", "spa train --help"),
        ("loss = 'focal'", "'bce', 'obce' or 'bce+obce'", "spa train --help"),
        ("batch_size = 8\nbatch-size = 9", "batch_size twice", "leave one out"),
        ("[train]\nepochs = 3", "a table [train]", "in no table"),
        ("epochs = 3\nepochs = 4", "is no TOML", "mend it"),
        ("epochs = ", "is no TOML", "mend it"),
        ("epochs = " + "[" * 100_000, "is no TOML", "mend it"),
        ("epochs = " + "9" * 10_000, "is no TOML", "mend it"),
        (b"name = '\xff'", "is no TOML", "mend it"),
        (b"# " + b"x" * (1 << 20), "larger than 1 MiB", "name a TOML file"),
    ],
    ids=lambda found: str(found)[:24],
)
def test_what_is_wrong_is_named(content: str | bytes, said: str, step: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError) as raised:
        read_config(path)
    assert str(path) in raised.value.message
    assert said in raised.value.message
    assert step in str(raised.value.next_step)
    assert len(raised.value.message) < 20_000


@pytest.mark.parametrize("name", ["nowhere.toml", "."])
def test_no_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_config(tmp_path / name)


@given(
    st.dictionaries(
        st.sampled_from(sorted(TrainSettings.model_fields)),
        st.integers() | st.floats() | st.booleans() | st.sampled_from(["auto", "ast", "mean", ""]),
        max_size=3,
    )
)
def test_a_value_is_refused_here_or_valid_there(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "values.toml"
    words = {key: f"{value!r}".replace("'", '"') for key, value in values.items()}
    lines = (
        f"{key} = {word.lower() if word[0] != chr(34) else word}" for key, word in words.items()
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        found = read_config(path)
    except UsageError:
        return
    assert found.keys() == values.keys()
    together = {"init": "x.pt"} | found  # no epochs need weights
    TrainSettings.model_validate(together)


FILE = Path("a.toml")


@pytest.mark.parametrize("typed", RECIPES)
@pytest.mark.parametrize("written", [None, *RECIPES])
def test_a_recipe_beside_the_file_of_a_run_of_another(
    written: RecipeName | None, typed: RecipeName, tmp_path: Path
) -> None:
    """The whole file of a run decides everything: a recipe beside it would be a name and no more."""
    path = tmp_path / "train.toml"
    write_config(path, TrainSettings(recipe=written, epochs=3))
    in_file = read_config(path)
    if written == typed:
        refuse_other_recipe(path, in_file, {"recipe": typed})
        return
    with pytest.raises(UsageError) as raised:
        refuse_other_recipe(path, in_file, {"recipe": typed})
    assert f"otherwise than --recipe {typed}" in raised.value.message
    assert "leave --recipe or --config out" in str(raised.value.next_step)
    refuse_other_recipe(path, in_file, {"epochs": 5})


@pytest.mark.parametrize(
    ("in_file", "given"),
    [
        ({"batch_size": 9}, {}),
        ({"encoder": "ast"}, {}),
        ({"recipe": "ast", "epochs": 3}, {"encoder": "passt"}),
        ({"init": "mn04.pt", "epochs": 3}, {}),
    ],
)
def test_a_recipe_beside_a_file_that_says_otherwise(
    in_file: dict[str, Any], given: dict[str, Any]
) -> None:
    (name,) = in_file.keys() - {"recipe", "init"}
    with pytest.raises(UsageError, match=f"a.toml sets {name} otherwise than --recipe passt"):
        refuse_other_recipe(FILE, in_file, given | {"recipe": "passt"})
    refuse_other_recipe(FILE, in_file, given | {"recipe": "passt", name: in_file[name]})


@pytest.mark.parametrize(
    ("in_file", "given"),
    [
        ({}, {}),
        ({"seed": 3, "alignment_weight": 0, "workers": 2}, {}),
        ({"batch_size": 12, "gain_db": 7}, {}),
        ({"recipe": "ast"}, {}),
        ({"init": "mn04.pt", "encoder": "mn04"}, {}),  # the weights decide the encoder
        ({"patchout_time": 0}, {"encoder": "ast"}),  # patchout is for the recipe's own
    ],
)
def test_a_recipe_beside_a_file_that_leaves_it_its_say(
    in_file: dict[str, Any], given: dict[str, Any]
) -> None:
    refuse_other_recipe(FILE, in_file, given | {"recipe": "passt"})
