"""The audio folder of a workspace loads in Hugging Face `datasets` as it is, and plays."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest

from stages.audio.store import AudioStore

PROGRAM = Path(__file__).with_name("load_with_datasets.py")


def ffmpeg(links: Path) -> str:
    """Search path for FFmpeg's libraries, those that PyAV brings: `datasets` decodes with torchcodec,
    which asks for them by their own names."""
    brought = Path(av.__file__).parents[1] / "av.libs"
    links.mkdir()
    for library in brought.iterdir():
        named = re.fullmatch(r"(lib(?:av|sw)\w+)-[0-9a-f]+\.so\.(\d+)[.\d]*", library.name)
        if named:
            (links / f"{named[1]}.so.{named[2]}").symlink_to(library)
    return f"{links}:{brought}"


@pytest.mark.parametrize("codec", ["flac", "wav"])
def test_datasets_loads_and_decodes_every_clip(
    codec: str, prepare: Callable[..., object], write_tone: Callable[[Path], None], tmp_path: Path
) -> None:
    for name in ("Dog/a.wav", "Dog/b.wav", "Cat/1.wav", "Cat/2 ü.wav", "Rain/x.wav"):
        write_tone(tmp_path / "source" / name)
    prepare(tmp_path / "source", codec=codec)
    workspace, heard = tmp_path / "workspace", tmp_path / "heard.npz"
    environment = {
        **os.environ,
        "HF_HOME": str(tmp_path / "cache"),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "LD_LIBRARY_PATH": ffmpeg(tmp_path / "ffmpeg"),
    }
    command = [sys.executable, str(PROGRAM), str(workspace / "audio"), str(heard)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    clips = pq.read_table(workspace / "clips.parquet").to_pylist()
    store = AudioStore(workspace / "audio")
    with np.load(heard) as arrays:
        assert arrays["rates"].tolist() == [8000]
        assert len(arrays.files) == 1 + 2 * len(clips) == 11
        for clip in clips:
            waveform = store.read(clip["shard"], clip["row"])
            assert len(waveform) == 800
            np.testing.assert_array_equal(arrays[f"decoded {clip['clip_id']}"], waveform)
            np.testing.assert_array_equal(arrays[f"stored {clip['clip_id']}"], waveform)
