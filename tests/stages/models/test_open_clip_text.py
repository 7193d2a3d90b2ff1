"""Text towers of open_clip from local files: what they compute, and what is refused."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import save_file

from stages.errors import ArtifactError
from stages.models.text_encoders.text_encoder import load_text_encoder

MODEL = "tiny-clip"
TEXT = {"context_length": 16, "vocab_size": 49408, "width": 8, "heads": 2, "layers": 2}
IMAGES = {"image_size": 8, "layers": 1, "width": 8, "head_width": 8, "patch_size": 8}
PROMPTS = ["Dog", "Animal > Domestic animals, pets > Dog > Bark", "so many words that " * 20]

State = dict[str, torch.Tensor]

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture(scope="module", autouse=True)
def _tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> None:
    config = tmp_path_factory.mktemp("clip") / f"{MODEL}.json"
    config.write_text(json.dumps({"embed_dim": 12, "vision_cfg": IMAGES, "text_cfg": TEXT}))
    open_clip.add_model_config(config)


def _clip(kind: type[torch.nn.Module] = open_clip.CLIP) -> torch.nn.Module:
    torch.manual_seed(20)
    return kind(12, IMAGES, TEXT).eval()


def _silent(line: str) -> None:
    pytest.fail(f"a local model said: {line}")


def _save(state: State, path: Path) -> Path:
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    return path


def _layouts() -> dict[str, State]:
    whole = dict(_clip().state_dict())
    custom = dict(_clip(open_clip.CustomTextCLIP).state_dict())
    tower = {key[5:]: value for key, value in custom.items() if key.startswith("text.")}
    training = {"epoch": 3, "state_dict": {f"module.{key}": value for key, value in whole.items()}}
    return {"whole": whole, "custom": custom, "tower": tower, "training": training}


@pytest.mark.parametrize("layout", ["whole", "custom", "tower", "training"])
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_local_checkpoint_of_any_layout_gives_clips_own_text_features(
    layout: str, suffix: str, tmp_path: Path
) -> None:
    state = _layouts()[layout]
    if layout == "training" and suffix == ".safetensors":
        state = state["state_dict"]  # safetensors hold nothing but weights
    path = _save(state, tmp_path / f"weights{suffix}")
    encoder = load_text_encoder(f"open_clip:{MODEL}/{path}", _silent)
    clip = _clip(open_clip.CLIP if layout in ("whole", "training") else open_clip.CustomTextCLIP)
    with torch.inference_mode():
        tokens = open_clip.SimpleTokenizer(context_length=16)(PROMPTS)
        expected = clip.encode_text(tokens, normalize=True).numpy()
    np.testing.assert_allclose(encoder.encode(PROMPTS), expected, atol=1e-6)
    assert encoder.identity == f"open_clip:{MODEL}/weights{suffix}"
    assert encoder.weights_sha256 == sha256(path.read_bytes()).hexdigest()


def test_half_precision_weights_are_computed_in_single(tmp_path: Path) -> None:
    halves = {key: value.half() for key, value in _clip().state_dict().items()}
    path = _save(halves, tmp_path / "half.safetensors")
    embeddings = load_text_encoder(f"open_clip:{MODEL}/{path}", _silent).encode(PROMPTS)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)


def _without(state: State, name: str) -> State:
    return {key: value for key, value in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda s: _without(s, "ln_final.weight"), "it has no 'ln_final.weight'"),
        (
            lambda s: s | {"transformer.resblocks.2.ln_1.weight": torch.ones(8)},
            "'transformer.resblocks.2.ln_1.weight' is not part of it",
        ),
        (
            lambda s: s | {"text_projection": torch.ones(8, 5)},
            r"'text_projection' has the shape \(8, 5\), not \(8, 12\)",
        ),
        (lambda _: {"conv.weight": torch.ones(1)}, "it has no 'positional_embedding'"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_refused_by_name(
    change: Callable[[State], State], named: str, tmp_path: Path
) -> None:
    path = _save(change(dict(_clip().state_dict())), tmp_path / "weights.pt")
    with pytest.raises(ArtifactError, match=f"does not fit the text tower of {MODEL}: {named}"):
        load_text_encoder(f"open_clip:{MODEL}/{path}", _silent)


class _Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.path,)


def test_code_in_a_checkpoint_does_not_run(tmp_path: Path) -> None:
    torch.save(_clip().state_dict() | {"extra": _Touch(tmp_path / "ran")}, tmp_path / "weights.pt")
    with pytest.raises(ArtifactError, match=r"holds code .* nothing in it was executed"):
        load_text_encoder(f"open_clip:{MODEL}/{tmp_path / 'weights.pt'}", _silent)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors", "weights"])
@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"PK\x03\x04 no archive", b"\xff" * 64])
def test_a_file_that_is_no_checkpoint_is_named(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ArtifactError) as caught:
        load_text_encoder(f"open_clip:{MODEL}/{tmp_path / name}", _silent)
    assert str(tmp_path / name) in caught.value.message
    assert "\n" not in caught.value.message


def test_a_checkpoint_of_no_weights_is_named(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "weights.pt")
    with pytest.raises(ArtifactError, match="holds a list, no weights"):
        load_text_encoder(f"open_clip:{MODEL}/{tmp_path / 'weights.pt'}", _silent)
