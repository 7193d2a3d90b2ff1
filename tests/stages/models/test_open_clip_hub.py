"""Weights from the hub: a hub on this machine that answers as the real one does, or none at all."""

import json
import socket
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import huggingface_hub
import numpy as np
import open_clip
import pytest
import torch

from stages.errors import SpaError
from stages.models.text_encoders.open_clip_hub import fetch_weights
from stages.models.text_encoders.text_encoder import load_text_encoder

MODEL = "hub-clip"
TEXT = {"context_length": 16, "vocab_size": 49408, "width": 8, "heads": 2, "layers": 2}
IMAGES = {"image_size": 8, "layers": 1, "width": 8, "head_width": 8, "patch_size": 8}
REPOSITORY = "owner/clip"
NAME = "ViT-B-32/a_tag"


def _clip() -> torch.nn.Module:
    torch.manual_seed(3)
    return open_clip.CLIP(12, IMAGES, TEXT, quick_gelu=True).eval()


def _weights() -> bytes:
    file = BytesIO()
    torch.save(_clip().state_dict(), file)
    return file.getvalue()


WEIGHTS = _weights()


class _Hub(BaseHTTPRequestHandler):
    """Has open_clip's pickle of one repository, and not the safetensors."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        if self._answer():
            self.wfile.write(WEIGHTS)

    def _answer(self) -> bool:
        found = self.path == f"/{REPOSITORY}/resolve/main/open_clip_pytorch_model.bin"
        self.send_response(200 if found else 404)
        self.send_header("X-Repo-Commit", "c" * 40)
        if found:
            self.send_header("ETag", f'"{sha256(WEIGHTS).hexdigest()}"')
        else:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("Content-Length", str(len(WEIGHTS) if found else 0))
        self.end_headers()
        return found

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def _point_to(endpoint: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    constants = huggingface_hub.constants
    template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Hub) as server:
        endpoint = f"http://127.0.0.1:{server.server_port}"
        _point_to(endpoint, tmp_path / "cache", monkeypatch)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield endpoint
        server.shutdown()
        thread.join()


@pytest.fixture
def dead_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
    _point_to(endpoint, tmp_path / "cache", monkeypatch)
    return endpoint


def test_what_is_downloaded_is_said_before_and_kept(
    hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    path = fetch_weights(NAME, f"{REPOSITORY}/", said.append)
    assert path.read_bytes() == WEIGHTS
    assert said == [f"downloading {REPOSITORY}/open_clip_pytorch_model.bin (2 MB) from {hub}"]
    _point_to("http://127.0.0.1:1", tmp_path / "cache", monkeypatch)
    assert fetch_weights(NAME, f"{REPOSITORY}/", pytest.fail) == path


@pytest.mark.usefixtures("hub")
def test_a_pretrained_tag_is_computed_with_the_activation_that_it_was_trained_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / f"{MODEL}.json"
    config.write_text(json.dumps({"embed_dim": 12, "vision_cfg": IMAGES, "text_cfg": TEXT}))
    open_clip.add_model_config(config)
    tags = {"a_tag": {"hf_hub": f"{REPOSITORY}/", "quick_gelu": True}}
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, MODEL, tags)
    said: list[str] = []
    encoder = load_text_encoder(f"open_clip:{MODEL}/a_tag", said.append)
    tokens = open_clip.SimpleTokenizer(context_length=16)(["Dog", "Cat"])
    with torch.inference_mode():
        expected = _clip().encode_text(tokens, normalize=True).numpy()
    np.testing.assert_allclose(encoder.encode(["Dog", "Cat"]), expected, atol=1e-6)
    assert encoder.identity == f"open_clip:{MODEL}/a_tag"
    assert encoder.weights_sha256 == sha256(WEIGHTS).hexdigest()
    assert len(said) == 1


def test_a_repository_without_the_weights_is_named(hub: str) -> None:
    with pytest.raises(SpaError, match="it has none of open_clip_model") as caught:
        fetch_weights(NAME, "owner/other/", pytest.fail)
    assert "owner/other" in caught.value.message
    assert hub in caught.value.message


def test_a_hub_that_does_not_answer_is_one_line_and_a_next_step(
    dead_hub: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SpaError) as caught:
        fetch_weights(NAME, f"{REPOSITORY}/", pytest.fail)
    assert caught.value.message.startswith(
        f"the weights of open_clip:{NAME} ({REPOSITORY}, size unknown) could not be downloaded "
        f"from {dead_hub}: "
    )
    assert "\n" not in caught.value.message
    assert caught.value.next_step == (
        "give a local checkpoint as open_clip:ViT-B-32/FILE, or use minilm"
    )
    assert capfd.readouterr() == ("", "")  # the client's retries would be told here


def test_a_tag_without_a_repository_is_named() -> None:
    with pytest.raises(SpaError, match=f"names no hub repository for {NAME}"):
        fetch_weights(NAME, "", pytest.fail)
