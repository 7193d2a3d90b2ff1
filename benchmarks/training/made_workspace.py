"""A prepared workspace of made clips, for benchmarks that train: what they sound like does not matter."""

import json
import os
from pathlib import Path

import numpy as np
import soundfile as sf

from stages.pipeline import PREPARE
from stages.prepare.settings import PrepareSettings
from stages.reporter import QuietReporter
from stages.runner import run_stage

LABELS = 16
_SPLITS = ("train", "valid", "eval")
_CLIPS_A_WORKER = 64  # a process takes seconds to start


def make_workspace(folder: Path, clips: int, seconds: float, sample_rate: int) -> Path:
    """Prepare `clips` training clips, and a few of the other splits, at `sample_rate` in Hz.

    Clip i of a split is a tone of 110 Hz times 2 ** (label / 4) that dies away, in white noise of sigma
    0.02 that no other clip has: as hard to decode as recordings are. It is of the label i % 16. Returns
    the workspace, `folder`/workspace.
    """
    source = folder / "source"
    samples = np.arange(round(seconds * sample_rate))
    noise = np.random.default_rng(0).standard_normal(len(samples) + clips + 2 * LABELS + 1)
    rows = ["path,labels,split"]
    for split, count in zip(_SPLITS, (clips, LABELS, LABELS), strict=True):
        (source / split).mkdir(parents=True)
        for clip in range(count):
            label = clip % LABELS
            phase = 2 * np.pi * 110 * 2 ** (label / 4) * samples / sample_rate
            tone = 0.5 * np.sin(phase) * np.exp(-2 * samples / len(samples))
            waveform = tone + 0.02 * noise[len(rows) : len(rows) + len(samples)]
            path = f"{split}/{clip}.wav"
            sf.write(source / path, waveform, sample_rate, subtype="PCM_16")
            rows.append(f"{path},/made/{label},{split}")
    (source / "clips.csv").write_text("\n".join(rows), encoding="utf-8")
    _write_ontology(source / "ontology.json")
    settings = PrepareSettings(
        source=source,
        manifest=source / "clips.csv",
        ontology=source / "ontology.json",
        sample_rate=sample_rate,
        workers=max(1, min(os.cpu_count() or 1, clips // _CLIPS_A_WORKER)),
    )
    run_stage(PREPARE, settings, folder / "workspace", QuietReporter())
    return folder / "workspace"


def _write_ontology(path: Path) -> None:
    """Four families of four labels below one root."""
    children = {"/made/all": [f"/made/family{family}" for family in range(4)]}
    for family in range(4):
        of_family = [f"/made/{label}" for label in range(LABELS) if label % 4 == family]
        children[f"/made/family{family}"] = of_family
        children |= {label: [] for label in of_family}
    nodes = [
        {"id": node, "name": node, "description": "", "child_ids": below}
        for node, below in children.items()
    ]
    path.write_text(json.dumps(nodes), encoding="utf-8")
