"""The ablation: what is finished is kept, recordings stay apart, intervals are as wide as they should be."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile as sf

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from ablation.comparison import Measured, difference  # noqa: E402
from ablation.contenders import CONTENDERS  # noqa: E402
from ablation.job import Job  # noqa: E402
from ablation.label_mixtures import CLIP_SECONDS, MixtureSizes, draw, write_mixtures  # noqa: E402
from ablation.mixing import HIGHEST_PEAK, LARGEST_CUT_DB, LEVEL, mix  # noqa: E402
from ablation.mixture_sources import Source, sources_of, split_sources  # noqa: E402
from ablation.results import Row  # noqa: E402
from ablation.scores import Replicates  # noqa: E402
from ablation.sets import SETS  # noqa: E402
from ablation.summaries import Found, summarise  # noqa: E402
from ablation.tables import BEGIN, END, markdown, write_page  # noqa: E402

from stages.errors import UsageError  # noqa: E402
from stages.pipeline import PREPARE  # noqa: E402
from stages.prepare.settings import PrepareSettings  # noqa: E402
from stages.reporter import QuietReporter  # noqa: E402
from stages.runner import run_stage  # noqa: E402
from stages.train.settings import TrainSettings  # noqa: E402


def ablation(shared: Path, workspace: Path) -> subprocess.Popen[str]:
    """Start it, small, in a process group of its own."""
    script = [sys.executable, str(BENCHMARKS / "spa_ablation.py"), "--smoke", "--sets", "a"]
    options = ["--contenders", "spa", "--seeds", "1", "--jobs", "1"]
    places = ["--workspace", str(workspace), "--shared", str(shared)]
    return subprocess.Popen(
        [*script, *options, *places, "--export", str(workspace / "rows.parquet")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_killed_and_called_again_it_does_what_is_missing_and_then_nothing(
    shared: Path, tmp_path: Path
) -> None:
    folder, results = tmp_path / "smoke", tmp_path / "smoke" / "results.parquet"
    killed = ablation(shared, tmp_path)
    while not results.exists():
        assert killed.poll() is None, killed.communicate()[1]
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    (first,) = pq.read_table(results).to_pylist()
    second = ablation(shared, tmp_path)
    table, said = second.communicate()
    assert second.returncode == 0, said
    assert "2 trainings, 1 to do" in said
    rows = pq.read_table(results).to_pylist()
    assert rows[0] == first
    assert [row["contender"] for row in rows] == ["one-hot", "spa"]
    assert json.loads(rows[1]["settings"])["alignment_weight"] == 0.5
    assert {path.stem for path in (folder / "scores").iterdir()} == {row["key"] for row in rows}
    assert not list((folder / "running").iterdir()), "a training's workspace is left"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    third = ablation(shared, tmp_path)
    table_again, said = third.communicate()
    assert "2 trainings, 0 to do" in said
    assert table_again == table
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert after == before
    assert pq.read_table(tmp_path / "rows.parquet").to_pylist() == rows
    assert str(tmp_path) not in str(rows), "a path of this machine is in the results"


def write_rows(path: Path, value: str, lineage: str = "") -> None:
    table = pa.table({"column": [value]})
    pq.write_table(table.replace_schema_metadata({"spa.lineage": lineage}), path)


def job(tmp_path: Path, name: str, **settings: object) -> Job:
    for file in ("clips.parquet", "labels.parquet", "label_embeddings.parquet"):
        write_rows(tmp_path / file, "the same")
    contender = next(one for one in CONTENDERS if one.name == name)
    base = TrainSettings.model_validate({"encoder": "small", **settings})
    return Job(
        "a",
        0,
        contender,
        contender.settings(base, 0),
        tmp_path,
        tmp_path / "label_embeddings.parquet",
        tmp_path,
    )


def test_a_result_is_known_by_all_that_decides_it_and_by_nothing_else(tmp_path: Path) -> None:
    keys = {one.name: job(tmp_path, one.name).key for one in CONTENDERS if one.name != "defaults"}
    assert len(set(keys.values())) == len(keys)
    assert job(tmp_path, "spa", epochs=3).key != keys["spa"]
    assert job(tmp_path, "spa", save_minutes=1.0).key == keys["spa"]
    # What does nothing without texts makes no training without them stale.
    assert job(tmp_path, "one-hot", text_temperature=0.5).key == keys["one-hot"]
    with_others = job(tmp_path, "one-hot")
    spa = job(tmp_path, "spa")
    write_rows(tmp_path / "label_embeddings.parquet", "other texts")
    assert spa.prompt == "{path}"
    assert with_others.key == keys["one-hot"]
    assert spa.key != keys["spa"]
    # The same clips, prepared from another folder or after a copy.
    prepared_again = job(tmp_path, "one-hot")
    write_rows(tmp_path / "clips.parquet", "the same", lineage="of another day")
    assert prepared_again.key == keys["one-hot"]


def test_each_contender_changes_one_thing() -> None:
    base = TrainSettings()
    by_name = {one.name: one for one in CONTENDERS}
    assert len(by_name) == len(CONTENDERS)
    for contender in CONTENDERS:
        if contender.name == "defaults":
            assert contender.settings(base, 7) == base.model_copy(update={"seed": 7})
            continue
        origin = by_name[_origin(contender.name)]
        ours, theirs = (one.settings(base, 7).model_dump() for one in (contender, origin))
        changed = [name for name in ours if ours[name] != theirs[name]]
        if contender.name == "mean":  # the paper's form: with a projection, whose texts are centred
            assert changed == ["alignment", "text_pull", "centre_text"]
            continue
        if contender.name == "softmax":  # the control: no text anywhere
            assert changed == ["text_temperature", "text_pull"]
            continue
        assert len(changed) + (contender.prompt != origin.prompt) == (contender is not origin)


def _origin(name: str) -> str:
    """What a contender is compared with: one thing is changed from there."""
    if name.startswith("spa") or name in ("softmax", "mean"):
        return "spa"
    return "mean" if name.startswith("mean") or name in ("each", "soft") else "one-hot"


SOURCES = [
    Source(Path("audio"), "", 0, f"/m/{label}", f"{recording}", held_out=recording % 4 == 0)
    for label in range(6)
    for recording in range(10 * label, 10 * label + 15)  # neighbours share five
]


def test_no_recording_is_in_two_splits() -> None:
    # Five recordings are held out by one data set and learnt from by another.
    learnt_too = [replace(one, held_out=False) for one in SOURCES if one.recording_id in "0 4 8 12"]
    train, valid, held_out = split_sources([*SOURCES, *learnt_too])
    assert [pool.split for pool in (train, valid, held_out)] == ["train", "valid", "eval"]
    assert not train.recordings & valid.recordings
    assert not (train.recordings | valid.recordings) & held_out.recordings
    every = {one.recording_id for one in SOURCES}
    assert train.recordings | valid.recordings | held_out.recordings == every
    assert not held_out.recordings & {one.recording_id for one in learnt_too}
    assert held_out.recordings == {str(n) for n in range(16, 65, 4)}
    assert all(pool.mids == train.mids for pool in (train, valid))
    assert len(valid.recordings) < len(train.recordings)


def test_drawn_sounds_have_different_labels_and_all_come_about_as_often() -> None:
    (train, _, _) = split_sources(SOURCES)
    generator = np.random.default_rng(0)
    drawn = [draw(train, generator) for _ in range(3000)]
    assert all(len({one.mid for one in sources}) == len(sources) for sources in drawn)
    shares = np.bincount([len(sources) for sources in drawn], minlength=4) / len(drawn)
    assert shares == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3], abs=0.05)
    labels = Counter(one.mid for sources in drawn for one in sources)
    assert set(labels) == set(train.mids)
    assert min(labels.values()) > 0.85 * max(labels.values())


def noise(samples: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(samples).astype(np.float32)


def rms(waveform: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64))))


def test_a_short_sound_is_heard_whole_and_at_a_gain_within_the_range() -> None:
    sound = 0.3 * noise(200, 1)
    padded = np.concatenate([np.zeros(50), sound, np.zeros(900)]).astype(np.float32)
    levels, places = [], []
    for seed in range(200):
        mixed = mix([padded], 1000, np.random.default_rng(seed))
        heard = np.flatnonzero(mixed)
        assert np.corrcoef(mixed[heard[0] : heard[0] + 200], sound)[0, 1] > 0.999
        levels.append(20 * np.log10(rms(mixed[heard[0] : heard[0] + 200]) / LEVEL))
        places.append(heard[0])
    assert -LARGEST_CUT_DB - 0.1 <= min(levels) < -LARGEST_CUT_DB + 1
    assert -1 < max(levels) <= 0.1
    assert min(places) < 50
    assert max(places) > 750


def test_a_long_sound_is_cut_around_its_loudest_moment() -> None:
    sound = 0.01 * noise(5000, 2)
    sound[4900] = 1.0
    mixed = [mix([sound], 1000, np.random.default_rng(seed)) for seed in range(50)]
    peaks = {int(np.abs(one).argmax()) for one in mixed}
    assert all(np.abs(one).max() > 20 * np.median(np.abs(one)) for one in mixed)
    assert len(peaks) > 10
    assert min(peaks) >= 900  # the last 100 samples follow the peak, and a sound is not cut short


def test_a_sum_of_sounds_never_clips() -> None:
    clicks = np.zeros(1000, dtype=np.float32)
    clicks[[300, 301]] = 1.0, -1.0
    for seed in range(20):
        mixed = mix([clicks, clicks, noise(1000, seed)], 1000, np.random.default_rng(seed))
        assert np.abs(mixed).max() <= HIGHEST_PEAK * 1.0001


def test_mixtures_are_what_their_manifest_says(tones: Path, tmp_path: Path) -> None:
    run_stage(PREPARE, PrepareSettings(source=tones, workers=1), tmp_path / "T", QuietReporter())
    splits = split_sources(sources_of(tmp_path / "T", 5))
    sizes = MixtureSizes(train=12, valid=4, eval=5)
    files = []
    for name in ("once", "again"):
        write_mixtures(tmp_path / name, splits, sizes, seed=3)
        found = (path for path in (tmp_path / name).rglob("*") if path.is_file())
        files.append({path.name: path.read_bytes() for path in found})
    assert files[0] == files[1]
    assert {sf.info(path).duration for path in tmp_path.glob("once/audio/*")} == {CLIP_SECONDS}
    settings = PrepareSettings(
        source=tmp_path / "once", ontology=tones / "ontology.json", workers=1
    )
    summary = run_stage(PREPARE, settings, tmp_path / "W", QuietReporter()).summary
    assert summary.clips == {"train": 12, "valid": 4, "eval": 5}
    assert not summary.rejects
    recordings = {pool.split: pool.recordings for pool in splits}
    with (tmp_path / "once" / "manifest.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            assert set(row["sources"].split()) <= recordings[row["split"]]


def crossed(
    generator: np.random.Generator, folds: int, seeds: int, of_seeds: float, of_clips: float
) -> Measured:
    """Made differences whose true value is 0: noise of the seeds, and of the clips of each fold."""
    values = of_seeds * generator.standard_normal(seeds) + of_clips * generator.standard_normal(
        (folds, 1)
    )
    resampled = of_clips * generator.standard_normal((folds, 1, 200))
    return Measured(values, values[:, :, None] + resampled)


@pytest.mark.parametrize(("of_seeds", "of_clips"), [(0.01, 0.001), (0.01, 0.02), (0.001, 0.01)])
@pytest.mark.parametrize("seeds", [3, 5])
def test_intervals_hold_the_true_value_as_often_as_they_say(
    seeds: int, of_seeds: float, of_clips: float
) -> None:
    generator = np.random.default_rng(0)
    nothing = Measured(np.zeros((2, seeds)), np.zeros((2, seeds, 200)))
    held = 0
    for _ in range(400):
        found = difference(crossed(generator, 2, seeds, of_seeds, of_clips), nothing)
        held += found.low <= 0 <= found.high
    assert 0.91 < held / 400 < 0.99


def test_a_difference_is_paired_by_seed_and_resample() -> None:
    base = crossed(np.random.default_rng(1), 3, 5, 0.1, 0.1)
    better = Measured(base.values + 0.02, base.replicates + 0.02)
    found = difference(better, base)
    assert [found.value, found.low, found.high] == pytest.approx([0.02] * 3)
    with pytest.raises(ValueError, match="no pairs"):
        difference(better, crossed(np.random.default_rng(1), 3, 4, 0.1, 0.1))


def found_rows(missing: tuple[str, int, str, int]) -> Found:
    """Rows of (b1) and (b2) of two contenders and three seeds, one of them missing."""
    found = {}
    for set_name, fold in (("b1", 2), ("b2", 1)):
        for name, gain in (("one-hot", 0.0), ("spa", 0.1)):
            for seed in range(3):
                value = 0.1 * fold + gain + 0.01 * seed
                settings = json.dumps({"init": None, "encoder": "small", "learning_rate": 0.004})
                row = Row(
                    "k",
                    set_name,
                    fold,
                    name,
                    seed,
                    15,
                    settings,
                    "",
                    "cpu",
                    9,
                    8,
                    value,
                    value,
                    (),
                    1.0,
                )
                kept = np.full(10, value)
                found[set_name, fold, name, seed] = row, Replicates(kept, kept)
    del found[missing]
    return found


def test_a_table_counts_the_seeds_that_are_there_and_averages_folds(tmp_path: Path) -> None:
    summaries = summarise(found_rows(("b2", 1, "spa", 2)))
    assert [[one.name for one in summary.sets] for summary in summaries] == [
        ["b1"],
        ["b2"],
        ["b1", "b2"],
    ]
    assert [[line.seeds for line in summary.lines] for summary in summaries] == [
        [3, 3],
        [3, 2],
        [3, 2],
    ]
    spa = summaries[2].lines[1]
    assert spa.mAP.mean == pytest.approx(0.15 + 0.1 + 0.005)
    assert spa.OmAP_difference is not None
    assert spa.OmAP_difference.value == pytest.approx(0.1)
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nwas here\n{END}\nafter\n")
    for _ in range(2):
        write_page(page, markdown(summaries))
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "was here" not in text
    assert text.count("| spa | 2 | 25.5 ± 0.7 | 25.5 ± 0.7 | +10.0 [+10.0, +10.0] |") == 1
    page.write_text("no place")
    with pytest.raises(UsageError, match="has no lines"):
        write_page(page, "table")


def test_no_set_is_both_for_tuning_and_for_the_verdict() -> None:
    assert [one.name for one in SETS if one.tuned_on] == ["a", "b1"]
