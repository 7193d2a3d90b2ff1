"""Batches of waveforms: padded, cut, mixed; and the parts of several processes make the whole."""

from pathlib import Path

import numpy as np
import pytest
import torch

from stages.artifacts import read_parquet
from stages.audio.store import AudioStore
from stages.pipeline import PREPARE
from stages.prepare.settings import PrepareSettings
from stages.reporter import QuietReporter
from stages.runner import run_stage
from stages.train.augment import Augmentation, drawing, mix
from stages.train.clip_cache import ClipCache
from stages.train.clips import Clips, clips_of_split
from stages.train.loading import Batch, Loader
from stages.train.plan import BatchPlan, Plan
from stages.train.settings import TrainSettings
from stages.train.world import World


class Part(World):
    """One of several processes that do not talk."""

    def __init__(self, rank: int, size: int) -> None:
        self.rank, self.size = rank, size


@pytest.fixture(scope="module")
def data(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[AudioStore, Clips]:
    folder = tmp_path_factory.mktemp("loading") / "W"
    run_stage(PREPARE, PrepareSettings(source=tones, workers=1), folder, QuietReporter())
    table = read_parquet(folder / "clips.parquet", "clips")
    return AudioStore(folder / "audio"), clips_of_split(table, "train", 4)


def loaded(
    data: tuple[AudioStore, Clips], plans: list[BatchPlan], samples: int, world: World | None = None
) -> list[Batch]:
    store, clips = data
    cache = ClipCache(store, clips, 10**6)
    return list(Loader(cache, clips, samples, 0, world or World()).load(plans))


def plans(data: tuple[AudioStore, Clips], **settings: object) -> list[BatchPlan]:
    chosen = TrainSettings.model_validate(settings)
    return Plan(data[1].targets, chosen, 7).epoch(1)


def test_batches_come_in_order_with_their_clips(data: tuple[AudioStore, Clips]) -> None:
    store, clips = data
    planned = plans(data, mixup_alpha=0)
    batches = loaded(data, planned, 32000)
    assert [batch.plan.number for batch in batches] == [plan.number for plan in planned]
    for plan, batch in zip(planned, batches, strict=True):
        assert batch.clip_ids == [clips.clip_ids[index] for index in plan.clips]
        for row, index in zip(mix(batch.waveform, batch).numpy(), plan.clips, strict=True):
            clip = store.read(clips.shards[index], clips.rows[index])
            assert np.array_equal(row[: len(clip)], clip)
            assert not row[len(clip) :].any(), "what is shorter is followed by silence"
        assert np.array_equal(batch.targets.numpy(), clips.targets[plan.clips])


def test_of_a_longer_clip_a_stretch_is_taken_that_depends_on_the_place(
    data: tuple[AudioStore, Clips],
) -> None:
    store, clips = data
    planned = plans(data, mixup_alpha=0)
    for batch, again in zip(loaded(data, planned, 500), loaded(data, planned, 500), strict=True):
        assert torch.equal(batch.waveform, again.waveform)
        for row, index in zip(mix(batch.waveform, batch).numpy(), batch.plan.clips, strict=True):
            clip = store.read(clips.shards[index], clips.rows[index])
            windows = np.lib.stride_tricks.sliding_window_view(clip, 500)
            assert (windows == row).all(axis=1).any()


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("share", [0.4, 1.0])
def test_the_parts_of_several_processes_are_the_batch_of_one(
    data: tuple[AudioStore, Clips], size: int, share: float
) -> None:
    choices = TrainSettings(mixup_share=share, gain_db=6, time_roll_share=0.5)
    planned = plans(data, mixup_share=share)
    augmentation = Augmentation(choices, 0)

    def heard(batch: Batch) -> torch.Tensor:
        generator = drawing(0, batch.plan.number)
        mixed = mix(augmentation.waveforms(batch.waveform, batch, generator), batch)
        spectrogram = mixed[:, : 20 * 100].reshape(len(mixed), 20, 100)
        return augmentation.masked(spectrogram, batch, generator)

    alone = loaded(data, planned, 4000)
    several = [loaded(data, planned, 4000, Part(rank, size)) for rank in range(size)]
    for whole, *parts in zip(alone, *several, strict=True):
        torch.testing.assert_close(torch.cat([heard(part) for part in parts]), heard(whole))
        assert all(torch.equal(part.targets, whole.targets) for part in parts)
        assert all(len(part.places) <= len(whole.places) for part in parts)
