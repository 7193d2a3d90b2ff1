"""Published checkpoints: recognised, refused by name, and loaded."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from stages.errors import ArtifactError, UsageError
from stages.models.encoders import ENCODERS
from stages.models.public_checkpoint import load_into, read_public_checkpoint
from stages.models.public_weights.fit import fit, published_encoders, with_head_in
from stages.models.tagger import Tagger

FOLDERS = {"psla": "efficientnet_b2"}
GOLDEN = ["ast", "cnn14", "cnn14_16k", "dymn10", "htsat", "mn04", "mn10", "passt", "psla"]


@pytest.fixture(scope="session")
def mn04(shared: Path) -> Path:
    return shared / "data" / "weights" / "mn04_as_mAP_432.pt"


@pytest.fixture
def weights(mn04: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = torch.load(mn04, weights_only=True)
    return dict(state)


def _published(shared: Path, folder: str) -> dict[str, Tensor]:
    """Names and shapes of a whole published checkpoint, without memory."""
    text = (shared / "golden" / "encoders" / folder / "state_dict.json").read_text()
    return {
        entry["key"]: torch.empty(
            entry["shape"], dtype=getattr(torch, entry["dtype"]), device="meta"
        )
        for entry in json.loads(text)["entries"]
    }


@pytest.mark.parametrize("folder", GOLDEN)
def test_each_published_checkpoint_fits_its_encoder_alone(shared: Path, folder: str) -> None:
    found = _published(shared, folder)
    fits = [fit(name, found) for name in with_head_in(found)]
    assert [one.encoder for one in fits if not one.differences] == [FOLDERS.get(folder, folder)]
    whole = next(one for one in fits if not one.differences)
    assert whole.labels == 527
    tagger = {name: value.shape for name, value in _tagger_on_meta(whole.encoder).items()}
    assert {name: value.shape for name, value in whole.weights.items()} == tagger


def _tagger_on_meta(encoder: str) -> dict[str, Tensor]:
    with torch.device("meta"):
        module = ENCODERS[encoder]()
        head = module.make_head(527)
    state = {f"encoder.{name}": value for name, value in module.state_dict().items()}
    return state | {f"head.{name}": value for name, value in head.state_dict().items()}


def test_every_encoder_but_the_demos_has_published_weights() -> None:
    assert set(published_encoders()) == ENCODERS.keys() - {"small"}


def test_the_real_file(mn04: Path) -> None:
    found = read_public_checkpoint(mn04)
    assert (found.encoder, found.labels, len(found.weights)) == ("mn04", 527, 312)
    assert read_public_checkpoint(mn04, "mn04").weights.keys() == found.weights.keys()


def test_what_is_loaded_is_what_is_in_the_file(mn04: Path, weights: dict[str, Tensor]) -> None:
    torch.manual_seed(0)
    tagger = Tagger("mn04", 527, text_dimensions=8)
    before = {name: value.clone() for name, value in tagger.state_dict().items()}
    load_into(tagger, read_public_checkpoint(mn04), head=False)
    for name, value in tagger.state_dict().items():
        if name.startswith("encoder."):
            assert torch.equal(value, weights[name.removeprefix("encoder.")]), name
        else:
            assert torch.equal(value, before[name]), name
    load_into(tagger, read_public_checkpoint(mn04), head=True)
    after = tagger.state_dict()
    assert torch.equal(after["head.3.weight"], weights["classifier.5.weight"])
    assert torch.equal(after["projection.weight"], before["projection.weight"])
    assert all(parameter.requires_grad for parameter in tagger.parameters())


def test_reading_draws_no_random_numbers(mn04: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    read_public_checkpoint(mn04)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("labels", [521, 10, 1])
def test_other_labels_load_the_encoder_and_name_the_head(
    tmp_path: Path, weights: dict[str, Tensor], labels: int
) -> None:
    weights["classifier.5.weight"] = torch.rand(labels, 512)
    weights["classifier.5.bias"] = torch.rand(labels)
    path = tmp_path / "a.pt"
    torch.save(weights, path)
    found = read_public_checkpoint(path)
    assert found.labels == labels
    tagger = Tagger("mn04", 527)
    load_into(tagger, found, head=False)
    with pytest.raises(ArtifactError, match=rf"a\.pt has a head of {labels} labels"):
        load_into(tagger, found, head=True)
    load_into(Tagger("mn04", labels), found, head=True)


def test_an_encoder_without_its_head(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    path = tmp_path / "a.safetensors"
    save_file({name: v for name, v in weights.items() if not name.startswith("classif")}, path)
    found = read_public_checkpoint(path)
    assert (found.encoder, found.labels) == ("mn04", None)
    load_into(Tagger("mn04", 3), found, head=False)
    with pytest.raises(ArtifactError, match="has no head"):
        load_into(Tagger("mn04", 3), found, head=True)


def test_another_encoder_is_not_loaded(mn04: Path) -> None:
    with pytest.raises(ArtifactError, match="is of the encoder mn04, not Small"):
        load_into(Tagger("small", 527), read_public_checkpoint(mn04), head=False)


def test_the_named_encoder_is_held_to(mn04: Path) -> None:
    with pytest.raises(ArtifactError, match="is of the encoder mn04, not mn10") as caught:
        read_public_checkpoint(mn04, "mn10")
    assert caught.value.next_step == "use the encoder mn04, or another file"


@pytest.mark.parametrize("encoder", ["small", "cnn99"])
def test_the_encoder_of_a_file_is_named_though_the_one_asked_for_has_none(
    mn04: Path, encoder: str
) -> None:
    with pytest.raises(UsageError, match=f"{mn04.name} is of the encoder mn04, not {encoder}"):
        read_public_checkpoint(mn04, encoder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features.0.0.weight": None}, "'features.0.0.weight' is missing$"),
        ({"classifier.2.bias": None}, "'classifier.2.bias' is missing$"),
        (
            {"classifier.5.bias": torch.rand(10)},
            r"'classifier.5.bias' has the shape \(10,\), not \(527,\)$",
        ),
        ({"more.weight": torch.rand(2)}, "'more.weight' is not part of it$"),
        (
            {"features.0.0.weight": torch.rand(8, 3, 3, 3)},
            r"'features.0.0.weight' has the shape \(8, 3, 3, 3\), not \(8, 1, 3, 3\)$",
        ),
        ({"features.0.1.bias": torch.arange(8)}, r"'features.0.1.bias' is of type torch.int64"),
        (
            {"features.0.0.weight": torch.zeros(0)},
            r"'features.0.0.weight' has the shape \(0,\), not \(8, 1, 3, 3\)$",
        ),
        ({"a": torch.rand(1), "b": torch.rand(1)}, "'a' is not part of it, and 1 more difference"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, weights: dict[str, Tensor], change: dict[str, Tensor | None], message: str
) -> None:
    path = tmp_path / "a.pt"
    changed = {name: value for name, value in (weights | change).items() if value is not None}
    torch.save(changed, path)
    with pytest.raises(ArtifactError, match="fits no encoder; the nearest is mn04, but " + message):
        read_public_checkpoint(path)
    with pytest.raises(ArtifactError, match="does not fit the encoder mn04: " + message):
        read_public_checkpoint(path, "mn04")


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save(torch.nn.Sequential(torch.nn.Linear(2, 3)).state_dict(), path)
    with pytest.raises(ArtifactError, match="holds the weights of no known encoder") as caught:
        read_public_checkpoint(path)
    assert "cnn14, " in str(caught.value.next_step)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["features.5.block.0.0.weight", "classifier.5.bias"])
def test_a_weight_that_is_no_number_is_named(
    tmp_path: Path, weights: dict[str, Tensor], bad: float, name: str
) -> None:
    path = tmp_path / "a.pt"
    weights[name] = weights[name].clone()
    weights[name].view(-1)[-1] = bad
    torch.save(weights, path)
    with pytest.raises(
        ArtifactError, match=rf"weights of '.*{name.rpartition('.')[2]}' are not all"
    ):
        read_public_checkpoint(path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("form", ["pt", "safetensors"])
def test_other_precisions_become_the_models_own(
    tmp_path: Path, weights: dict[str, Tensor], dtype: torch.dtype, form: str
) -> None:
    """Exactly: every number of 16 bits is one of 32 bits."""
    path = tmp_path / f"a.{form}"
    kept = {name: v.to(dtype) if v.is_floating_point() else v for name, v in weights.items()}
    if form == "pt":
        torch.save(kept, path)
    else:
        save_file(kept, path)
    read = read_public_checkpoint(path)
    assert {value.dtype for value in read.weights.values()} == {torch.float32, torch.int64}
    tagger = Tagger("mn04", 527)
    load_into(tagger, read, head=True)
    assert {parameter.dtype for parameter in tagger.parameters()} == {torch.float32}
    for ours, theirs in (
        ("head.3.weight", "classifier.5.weight"),
        ("encoder.features.0.0.weight",) * 2,
    ):
        expected = kept[theirs.removeprefix("encoder.")].to(torch.float32)
        assert torch.equal(tagger.state_dict()[ours], expected)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("features.0.0.weight", 1e200, "are not all finite numbers"),
        ("features.0.1.running_var", -1.0, "are variances, but not all at least 0"),
    ],
)
def test_numbers_that_a_model_cannot_compute_with(
    tmp_path: Path, weights: dict[str, Tensor], name: str, value: float, message: str
) -> None:
    """Beyond float32, or without a root: what came of them would be no number."""
    weights[name] = torch.full_like(weights[name], value, dtype=torch.float64)
    path = tmp_path / "a.pt"
    torch.save(weights, path)
    with pytest.raises(ArtifactError, match=rf"a\.pt: the weights of 'encoder\.{name}' {message}"):
        read_public_checkpoint(path)


def test_two_encoders_alike_need_to_be_told_apart(shared: Path) -> None:
    """Without the constants of the STFT, nothing in the weights says at which rate they hear."""
    found = _published(shared, "cnn14")
    bare = {name: value for name, value in found.items() if "extractor" not in name}
    fits = [fit(name, bare) for name in with_head_in(bare)]
    assert [one.encoder for one in fits if not one.differences] == ["cnn14", "cnn14_16k"]
    of_16_khz = fit("cnn14_16k", found).differences
    assert of_16_khz[0] == (
        "'spectrogram_extractor.stft.conv_real.weight' has the shape (513, 1, 1024), not (257, 1, 512)"
    )
