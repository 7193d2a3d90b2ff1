"""The stage as a whole: its files, its determinism, what stops it."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path

import pytest
import soundfile

from stages.artifacts import read_parquet
from stages.demo_data import run as demo_run
from stages.demo_data.rendering import Job, render_clips
from stages.demo_data.settings import DemoDataSettings
from stages.demo_data.sound_font import SoundFont, find_sound_font
from stages.errors import SpaError
from stages.pipeline import DEMO_DATA, PREPARE
from stages.prepare.settings import PrepareSettings
from stages.reporter import QuietReporter
from stages.runner import run_stage

SMALL = DemoDataSettings(
    train_clips=61, valid_clips=20, eval_clips=20, clip_seconds=0.5, sample_rate=8000, workers=1
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "workspace"
    reporter = QuietReporter()
    summary = run_stage(DEMO_DATA, SMALL, folder, reporter).summary
    assert reporter.warnings == []
    assert summary.clips == {"train": 61, "valid": 20, "eval": 20}
    assert summary.labels == 61
    assert summary.sound_font.startswith("TimGM6mb.sf2 of pretty_midi ")
    assert (folder / summary.example_path).is_file()
    assert len(summary.example_labels) > 1
    return folder


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_audio_is_as_the_settings_say(workspace: Path) -> None:
    files = sorted((workspace / "demo-data" / "audio").rglob("*"))
    files = [path for path in files if path.is_file()]
    assert len(files) == 101
    for path in files:
        found = soundfile.info(path)
        assert (found.format, found.subtype, found.channels) == ("FLAC", "PCM_16", 1)
        assert (found.samplerate, found.frames) == (8000, 4000)


def test_the_lists_are_in_googles_form(workspace: Path, shared: Path) -> None:
    ours = (workspace / "demo-data" / "eval_segments.csv").read_text().splitlines()
    with (shared / "data/audioset/eval_segments.csv").open() as file:
        theirs = [next(file).rstrip("\n") for _ in range(4)]
    assert ours[1].startswith("# num_ytids=20, num_segs=20, num_unique_labels=")
    assert [part.split("=")[0] for part in ours[1].split(", ")] == [
        part.split("=")[0] for part in theirs[1].split(", ")
    ]
    assert ours[2] == theirs[2]
    assert ours[3].startswith('eval000000, 0.000, 0.500, "/m/0l14jd')
    labels = (workspace / "demo-data" / "class_labels_indices.csv").read_text().splitlines()
    assert labels[:2] == ["index,mid,display_name", '0,/m/0l14jd,"Choir"']
    assert '5,/m/07pggtn,"Chirp, tweet"' in labels


def test_prepare_takes_all_of_it(workspace: Path) -> None:
    settings = PrepareSettings(source=workspace / "demo-data", sample_rate=8000, workers=1)
    summary = run_stage(PREPARE, settings, workspace, QuietReporter()).summary
    assert summary.layout == "audioset"
    assert summary.clips == {"train": 61, "valid": 20, "eval": 20}
    assert summary.labels == 61
    assert summary.labels_without_train_clip == ()
    assert summary.rejects == {}
    peaks = read_parquet(workspace / "clips.parquet", "clips")["peak_dbfs"].to_pylist()
    assert all(-15.1 < peak < -0.9 for peak in peaks)


def test_workers_change_nothing_and_the_seed_everything(workspace: Path, tmp_path: Path) -> None:
    expected = digests(workspace / "demo-data")
    run_stage(DEMO_DATA, SMALL.model_copy(update={"workers": 3}), tmp_path / "a", QuietReporter())
    assert digests(tmp_path / "a" / "demo-data") == expected
    run_stage(DEMO_DATA, SMALL.model_copy(update={"seed": 1}), tmp_path / "b", QuietReporter())
    other = digests(tmp_path / "b" / "demo-data")
    assert other.keys() == expected.keys()
    audio = [name for name in other if name.startswith("audio/")]
    assert not [name for name in audio if other[name] == expected[name]]


def test_splits_are_different_clips(workspace: Path) -> None:
    found = [digest for name, digest in digests(workspace / "demo-data").items() if "audio" in name]
    assert len(set(found)) == len(found)


def test_a_second_run_does_nothing(workspace: Path) -> None:
    assert run_stage(DEMO_DATA, SMALL, workspace, QuietReporter()).unchanged


@pytest.mark.parametrize("package", ["pretty_midi", "midirenderer"])
def test_a_missing_package_is_named(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SpaError, match=package) as caught:
        run_stage(DEMO_DATA, SMALL, tmp_path / "workspace", QuietReporter())
    assert caught.value.next_step is not None
    assert 'pip install "spa-audio[demo]"' in caught.value.next_step
    assert "Linux x86-64" in caught.value.next_step
    assert not (tmp_path / "workspace").exists()


def test_another_sound_font_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = find_sound_font()
    other = SoundFont(tmp_path / "other.sf2", "other.sf2", sha256="0" * 64)
    shutil.copy(known.path, other.path)
    monkeypatch.setattr(demo_run, "find_sound_font", lambda: other)
    reporter = QuietReporter()
    summary = run_stage(DEMO_DATA, SMALL, tmp_path / "workspace", reporter).summary
    assert summary.sound_font_sha256 == other.sha256
    assert len(reporter.warnings) == 1
    assert str(other.path) in reporter.warnings[0]
    assert known.sha256 in reporter.warnings[0]


def test_a_worker_that_dies_is_an_error(tmp_path: Path, sound_font: Path) -> None:
    (tmp_path / "audio" / "train").mkdir(parents=True)
    job = Job(0, clip_seconds=0.5, sample_rate=8000, sound_font=sound_font, folder=tmp_path)
    rendered = render_clips(job, [("train", number) for number in range(400)], workers=2)
    next(rendered)
    for process in active_children():
        process.kill()
    with pytest.raises(SpaError, match="a process that renders clips died"):
        list(rendered)


def test_a_folder_that_cannot_be_written_is_an_error_of_the_system(
    tmp_path: Path, sound_font: Path
) -> None:
    job = Job(0, clip_seconds=0.5, sample_rate=8000, sound_font=sound_font, folder=tmp_path)
    with pytest.raises(FileNotFoundError) as caught:
        list(render_clips(job, [("train", 0)], workers=1))
    assert caught.value.filename == str(tmp_path / "audio/train/train000000.flac")


INTERRUPTED = """
import sys
from pathlib import Path
from stages.demo_data.settings import DemoDataSettings
from stages.pipeline import DEMO_DATA
from stages.reporter import QuietReporter
from stages.runner import run_stage

if __name__ == "__main__":
    try:
        run_stage(DEMO_DATA, DemoDataSettings(workers=2), Path(sys.argv[1]), QuietReporter())
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_ctrl_c_is_quiet_and_leaves_nothing(tmp_path: Path) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    workspace = tmp_path / "workspace"
    process = subprocess.Popen(
        [sys.executable, str(script), str(workspace)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    while process.poll() is None and not list(workspace.rglob("*.flac")):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does: every process of it gets one
    said, _ = process.communicate()
    assert said == "interrupted\n"
    assert not workspace.exists()
