"""Every encoder against its reference, from the published file and the waveform on.

A file as its authors save it, with weights by formula, goes through the importer; log-mel, embedding
and logits of formula waveforms are the reference's, at the tolerances that its numbers came with. All of
them, with the reference repositories and commits, are in golden/encoders of the shared folder.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from stages.audio.log_mel import FrontEnd, LogMel
from stages.models.encoders import ENCODERS
from stages.models.encoders.htsat import Htsat, TokenSemanticHead, picture
from stages.models.public_checkpoint import PublicWeights, load_into, read_public_checkpoint
from stages.models.tagger import Tagger


def of_panns(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """The model beside what the training needed to go on: its sampler has NumPy arrays."""
    sampler = {"indexes_per_class": [np.arange(5)], "queue": [3], "pointers_of_classes": [0]}
    return {"iteration": 600000, "model": dict(weights), "sampler": sampler}


def of_data_parallel(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    return {f"module.{name}": value for name, value in weights.items()}


def of_htsat(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """PyTorch Lightning's file."""
    state = {f"sed_model.{name}": value for name, value in weights.items()}
    return {"epoch": 3, "global_step": 9, "state_dict": state}


@dataclass(frozen=True)
class Published:
    """How an encoder's golden numbers and its published file are.

    Attributes:
        folder: of golden/encoders.
        saved_as: what is saved around the weights.
        unused: learnt entries that nobody needs, such as the heads of another task.
        old_format: saved by a PyTorch before 1.6.
        silence: tolerance of the logits of ten seconds of zeros; None: there are no numbers for it.
    """

    folder: str
    saved_as: Callable[[Mapping[str, Tensor]], dict[str, Any]] = dict
    unused: frozenset[str] = frozenset()
    old_format: bool = False
    silence: float | None = None


PUBLISHED = {
    # On silence the logits of Cnn14 reach 17: ten times the tolerance.
    "cnn14": Published("cnn14", of_panns, old_format=True, silence=5e-4),
    "cnn14_16k": Published("cnn14_16k", of_panns, old_format=True, silence=5e-4),
    "efficientnet_b2": Published("psla", of_data_parallel),
    "ast": Published(
        "ast",
        of_data_parallel,
        frozenset(
            f"v.{head}.{name}" for head in ("head", "head_dist") for name in ("weight", "bias")
        ),
        silence=5e-5,
    ),
    "passt": Published(
        "passt", dict, frozenset({"head_dist.weight", "head_dist.bias"}), silence=5e-5
    ),
    "mn04": Published("mn04", silence=3e-4),
    "mn10": Published("mn10", silence=3e-4),
    "dymn10": Published("dymn10"),
    "htsat": Published("htsat", of_htsat, frozenset({"head.weight", "head.bias"}), silence=3e-5),
}


@dataclass(frozen=True)
class Imported:
    """An encoder's published file, read, and the tagger that it was loaded into."""

    name: str
    published: Published
    folder: Path
    weights: PublicWeights
    tagger: Tagger


@pytest.fixture(scope="module", params=PUBLISHED)
def imported(
    request: pytest.FixtureRequest,
    encoders: Path,
    formula: ModuleType,
    tmp_path_factory: pytest.TempPathFactory,
) -> Imported:
    name: str = request.param
    published = PUBLISHED[name]
    filled = formula.model_weights(published.folder)
    weights = {
        entry["key"]: torch.from_numpy(filled[entry["key"]])
        if entry["filled"]
        else torch.zeros(entry["shape"], dtype=getattr(torch, entry["dtype"]))
        for entry in formula.listing(published.folder)["entries"]
    }
    path = tmp_path_factory.mktemp("published") / "weights.pth"
    content = published.saved_as(weights)
    torch.save(content, path, _use_new_zipfile_serialization=not published.old_format)
    found = read_public_checkpoint(path)
    path.unlink()  # a third of a gigabyte
    tagger = Tagger(found.encoder, 527)
    load_into(tagger, found, head=True)
    return Imported(name, published, encoders / published.folder, found, tagger.eval())


def waveform_of(formula: ModuleType, tagger: Tagger, clip: str) -> Tensor:
    """Return the formula waveform (1, samples), or silence."""
    sample_rate = tagger.encoder.front_end.sample_rate
    if clip == "Z10":
        return torch.zeros(1, 10 * sample_rate)
    return torch.from_numpy(formula.waveform(sample_rate, float(clip[1:]))).reshape(1, -1)


def largest_difference(found: Tensor, expected: NDArray[np.floating]) -> float:
    return float(np.abs(found.double().numpy().ravel() - expected.ravel()).max())


def test_the_file_is_recognised_and_every_learnt_entry_finds_its_place(
    imported: Imported, formula: ModuleType
) -> None:
    assert imported.weights.encoder == imported.name
    assert imported.weights.labels == 527
    state = imported.tagger.state_dict()
    published = formula.model_weights(imported.published.folder)
    learnt = sum(
        values.size for name, values in published.items() if name not in imported.published.unused
    )
    counters = "num_batches_tracked"
    assert learnt == sum(
        value.numel() for key, value in state.items() if not key.endswith(counters)
    )
    for name, value in imported.weights.weights.items():
        assert torch.equal(state[name], value), name


def test_from_the_waveform_to_the_logits_all_is_the_references(
    imported: Imported, formula: ModuleType
) -> None:
    meta = json.loads((imported.folder / "meta.json").read_text())
    allowed = meta["suggested_max_abs_tolerance_A10_B3"]
    for clip in ("A10", "B3"):
        compare(imported, formula, clip, allowed)
    if imported.published.silence is not None:
        compare(imported, formula, "Z10", allowed | {"logits": imported.published.silence})


@torch.no_grad()
def compare(
    imported: Imported, formula: ModuleType, clip: str, allowed: Mapping[str, float]
) -> None:
    golden = np.load(imported.folder / f"golden_{clip}.npz")
    tagger = imported.tagger
    log_mel = tagger.log_mel(waveform_of(formula, tagger, clip))
    compare_log_mel(log_mel[0], tagger.encoder.front_end, golden)
    features = tagger.encoder(log_mel)
    embedding = tagger.encoder.embedding(features)
    logits = tagger.head(features)
    assert logits.shape == (1, 527)
    assert largest_difference(embedding, golden["embedding_f64"]) < allowed["embedding"]
    assert largest_difference(logits, golden["logits_f64"]) < allowed["logits"]
    if "probs" in allowed:
        assert largest_difference(logits.sigmoid(), golden["probs_f64"]) < allowed["probs"]


def compare_log_mel(
    log_mel: Tensor, front_end: FrontEnd, golden: Mapping[str, NDArray[Any]]
) -> None:
    """Without the scaling at the end, at 512 places: the largest difference and the mean."""
    shape = golden["frontend_raw_shape"]
    bands_last = shape[-1] == front_end.mel_bands
    frames = int(shape[-2] if bands_last else shape[-1])
    raw = (log_mel.double() * front_end.divisor + front_end.shift)[:frames]  # padding comes after
    heard = raw if bands_last else raw.T
    found = heard.numpy().ravel()[golden["frontend_raw_idx"]]
    difference = np.abs(found - golden["frontend_raw_val_f64"])
    assert difference.max() < 5e-3
    assert difference.mean() < 5e-5


@pytest.mark.parametrize("imported", ["htsat"], indirect=True)
@torch.no_grad()
def test_what_htsat_sees_and_says_of_each_step(imported: Imported, formula: ModuleType) -> None:
    encoder, head = imported.tagger.encoder, imported.tagger.head
    assert isinstance(encoder, Htsat)
    assert isinstance(head, TokenSemanticHead)
    for clip in ("A10", "B3", "Z10"):
        golden = np.load(imported.folder / f"golden_{clip}.npz")
        log_mel = imported.tagger.log_mel(waveform_of(formula, imported.tagger, clip))
        normal = encoder.bn0(log_mel.unsqueeze(1).transpose(1, 3)).transpose(1, 3)
        seen = picture(normal).flatten()[golden["image_idx"]]
        assert largest_difference(seen, golden["image_val"]) < 1e-3
        assert (
            largest_difference(head.frame_logits(encoder(log_mel)), golden["frame_logits"]) < 2e-4
        )


def test_whole_log_mels(encoders: Path, formula: ModuleType) -> None:
    """Every frame and band of each front end; the reference's are rounded to float16."""
    for name, published in PUBLISHED.items():
        front_end = ENCODERS[name].front_end
        for clip in ("A10", "B3"):
            whole = np.load(encoders / published.folder / f"frontend_{clip}_f16.npz")
            theirs = next(iter(whole.values())).squeeze().astype(np.float64)
            waveform = formula.waveform(front_end.sample_rate, float(clip[1:]))
            log_mel = LogMel(front_end)(torch.from_numpy(waveform)[None])[0].double().numpy()
            raw = log_mel * front_end.divisor + front_end.shift
            ours = raw if theirs.shape[1] == front_end.mel_bands else raw.T
            ours = ours[: theirs.shape[0], : theirs.shape[1]]
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=0.016 + 5e-3, err_msg=name)
