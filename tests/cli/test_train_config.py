"""`spa train --config` and `--recipe`: flags over the file, the file over the recipe, all in one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.numpy import load_file
from typer.main import get_command

from spa_cli.app import build_app
from spa_cli.commands import train_config
from stages.pipeline import PIPELINE, PREPARE, TRAIN, Stage
from stages.prepare.settings import PrepareSettings
from stages.reporter import QuietReporter
from stages.runner import run_stage
from stages.train.config import read_config, write_config
from stages.train.settings import TrainSettings

SPA = [sys.executable, "-c", "from spa_cli.main import main; main()"]


def spa(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*SPA, *arguments], capture_output=True, text=True, check=False, cwd=cwd)


def chosen_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> TrainSettings:
    """The settings that `spa train` builds, without a training."""
    found: list[TrainSettings] = []
    monkeypatch.setattr(train_config, "refuse_idle", lambda settings, _: found.append(settings))
    monkeypatch.setenv("SPA_WORKSPACE", str(tmp_path / "none"))
    command = get_command(build_app())
    with pytest.raises(SystemExit) as raised:
        command(["train", *arguments])
    assert raised.value.code == 1  # there is no such workspace
    return found[0]


def test_flags_over_file_over_recipe_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "my.toml"
    file.write_text('recipe = "passt"\nlearning-rate = 0.5\nbatch_size = 7\nencoder = "mn04"\n')
    found = chosen_by(tmp_path, monkeypatch, "--config", str(file), "--batch-size", "9")
    expected = {"batch_size": 9, "learning_rate": 0.5, "encoder": "mn04", "recipe": "passt"}
    assert found == TrainSettings.model_validate(expected)
    assert (found.gain_db, found.patchout_time) == (7, 0), (
        "patchout is for the recipe's own encoder"
    )
    assert found.valid_share == TrainSettings().valid_share


def test_a_flag_with_the_default_value_was_given_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--recipe", "ast", "--batch-size", "32", "--average", "none")
    found = chosen_by(tmp_path, monkeypatch, *arguments)
    assert (found.batch_size, found.average, found.epochs) == (32, "none", 5)


def test_a_negated_flag_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my.toml").write_text("compile = true\nfreeze_encoder = true\n")
    arguments = ("--config", str(tmp_path / "my.toml"), "--no-compile")
    found = chosen_by(tmp_path, monkeypatch, *arguments)
    assert (found.compile, found.freeze_encoder) == (False, True)


def test_the_recipe_is_told_in_one_line(tmp_path: Path) -> None:
    done = spa(tmp_path, "train", "--recipe", "ast", "--epochs", "3")
    line = done.stderr.splitlines()[0]
    assert "recipe ast (Gong et al., Interspeech 2021, arXiv 2104.01778): --encoder ast" in line
    assert "--mixup-alpha 10.0" in line
    assert "--epochs" not in line  # given otherwise
    assert "started from ImageNet's weights" in line
    assert "does not exist" in done.stderr.splitlines()[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--config", "nowhere.toml"], ["nowhere.toml cannot be read", "--config"]),
        (["--config", "wrong.toml"], ["wrong.toml", "'epoch'", "did you mean epochs"]),
        (["--config", b"\xff.toml".decode("utf-8", "surrogateescape")], ["--config", "no UTF-8"]),
        (["--recipe", "resnet"], ["--recipe"]),
        (["--ema-decay", "0.9"], ["--ema-decay does nothing without --average ema"]),
        (["--epochs", "0"], ["--epochs 0 trains nothing"]),
        (
            ["--epochs", "0", "--init", "x.pt", "--loss", "obce"],
            ["--loss does nothing without --epochs above 0", "leave --loss out"],
        ),
        (["--batch-size", "many"], ["--batch-size", "from 1 to 65536 nor 'auto'"]),
        (["--batch-size", "0"], ["--batch-size", "from 1 to 65536 nor 'auto'"]),
        (["--batch-size", "1e3"], ["--batch-size", "from 1 to 65536 nor 'auto'"]),
        (["--batch-size", "²"], ["--batch-size", "from 1 to 65536 nor 'auto'"]),
        (["--batch-size", "9" * 9999], ["--batch-size", "from 1 to 65536 nor 'auto'"]),
    ],
    ids=lambda found: str(found)[:40],
)
def test_wrong_usage(arguments: list[str], said: list[str], tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text("epoch = 1\n")
    done = spa(tmp_path, "train", *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    for words in said:
        assert words in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.toml"]


def test_the_file_of_a_run_repeats_it(tones: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "W"
    run_stage(PREPARE, PrepareSettings(source=tones, workers=1), workspace, QuietReporter())
    chosen = TrainSettings(epochs=2, batch_size=8, alignment_weight=0, mixup_of="log-mel")
    run_stage(TRAIN, chosen, workspace, QuietReporter())
    first = workspace / "runs" / "main"
    as_read = TrainSettings.model_validate(read_config(first / "train.toml"))
    decided = {"encoder": "small", "clip_seconds": 0.6, "learning_rate": 4e-3, "average": "swa"}
    assert as_read == chosen.model_copy(update=decided), "what was left open is said"
    config = ("--config", str(first / "train.toml"))
    done = spa(tmp_path, "train", "--workspace", "W", *config, "--name", "again", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["epochs"] == 2
    again = workspace / "runs" / "again"
    weights, same = (load_file(run / "model.safetensors") for run in (first, again))
    assert weights.keys() == same.keys()
    assert all((weights[name] == same[name]).all() for name in weights)
    renamed = (first / "train.toml").read_text().replace('name = "main"', 'name = "again"')
    assert (again / "train.toml").read_text() == renamed


def test_a_run_is_not_named_for_a_recipe_that_a_file_undoes(tmp_path: Path) -> None:
    write_config(tmp_path / "train.toml", TrainSettings(recipe="panns"))
    done = spa(tmp_path, "train", "--config", "train.toml", "--recipe", "ast")
    assert done.returncode == 2
    error, step = done.stderr.splitlines()
    assert "train.toml sets encoder, epochs, batch_size, learning_rate and " in error
    assert "more otherwise than --recipe ast" in error
    assert "leave --recipe or --config out" in step


@pytest.mark.parametrize("stage", PIPELINE, ids=lambda stage: stage.name)
def test_help_shows_each_option_once_under_the_title_of_its_group(
    stage: Stage,  # type: ignore[type-arg]
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        get_command(build_app())([stage.name, "--help"])
    under: dict[str, str] = {}
    title = ""
    for line in capsys.readouterr().out.splitlines():
        if line.endswith(":") and not line.startswith(" "):
            title = line[:-1]
        if line.startswith("  --"):
            option = line.split()[0].removeprefix("--").replace("-", "_")
            assert option not in under
            under[option] = title
    options = {name for name in stage.settings.model_fields if name in under}
    assert len(stage.settings.model_fields) - len(options) <= 1  # the argument
    for name in options:
        assert under[name] == (stage.settings.group_of(name) or "Options")
    assert under["workspace"] == "Options"
