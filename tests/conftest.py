"""What every test may use."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import settings

# No deadlines: how long a case takes says nothing about whether it is right. The same cases every time.
settings.register_profile("spa", deadline=None, derandomize=True)
settings.load_profile("spa")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real audio, metadata and golden numbers that lies outside the project.

    Its place is in SPA_SHARED. A test that needs it fails where it is missing: a test that is
    skipped on the machine that matters proves nothing.
    """
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("SPA_SHARED", root.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.fail(f"{folder} has no data/: set SPA_SHARED to the folder of shared test data")
    return folder


TONES = {"Hum": 150.0, "Buzz": 600.0, "Whistle": 2400.0, "Hiss": None}
TONES_ONTOLOGY = [
    {
        "id": "/t/sound",
        "name": "Sound",
        "description": "Anything heard.",
        "child_ids": ["/t/tonal", "/t/hiss"],
    },
    {
        "id": "/t/tonal",
        "name": "Tonal",
        "description": "A sound with a pitch.",
        "child_ids": ["/t/hum", "/t/buzz", "/t/whistle"],
    },
    {"id": "/t/hum", "name": "Hum", "description": "A low steady tone.", "child_ids": []},
    {"id": "/t/buzz", "name": "Buzz", "description": "A tone of middle pitch.", "child_ids": []},
    {"id": "/t/whistle", "name": "Whistle", "description": "A high clear tone.", "child_ids": []},
    {"id": "/t/hiss", "name": "Hiss", "description": "Noise without a pitch.", "child_ids": []},
]


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set with one folder a class, five folds of 40 clips, and its ontology.json.

    Clip i of a class is 0.6 s of sin(2 pi f t (1 + i / 100)) * 0.3 plus white noise of sigma 0.02
    from default_rng(i), at 32 kHz; the class Hiss is noise of sigma 0.1 alone.
    """
    folder = tmp_path_factory.mktemp("tones")
    (folder / "ontology.json").write_text(json.dumps(TONES_ONTOLOGY), encoding="utf-8")
    seconds = np.arange(19200) / 32000
    for name, pitch_hz in TONES.items():
        (folder / name).mkdir()
        for i in range(10):
            noise = np.random.default_rng(i).standard_normal(len(seconds))
            clip = 0.1 * noise
            if pitch_hz is not None:
                clip = 0.3 * np.sin(2 * np.pi * pitch_hz * (1 + i / 100) * seconds) + 0.02 * noise
            sf.write(folder / name / f"{i % 5 + 1}-{100 + i}-A.wav", clip, 32000)
    return folder
