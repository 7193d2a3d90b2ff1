"""Cuts: the part and no more, exact to the sample."""

import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from stages.audio.blocks import Block
from stages.audio.cutting import take
from stages.audio.decode import Cut, decode_audio
from stages.errors import AudioError

RATE = 8000
SECONDS = 30  # FLAC is read in blocks of 2**19 values: 22 channels make several


@pytest.fixture(scope="module")
def encoded() -> bytes:
    noise = np.random.default_rng(0).integers(-9000, 9000, (SECONDS * RATE, 6)).astype(np.int16)
    file = io.BytesIO()
    sf.write(file, noise, RATE, format="FLAC")
    return file.getvalue()


def code_of(source: bytes | Path, cut: Cut, max_seconds: float = 60) -> str:
    with pytest.raises(AudioError) as raised:
        decode_audio(source, RATE, max_seconds, cut)
    return raised.value.code


@given(start=st.floats(0, SECONDS - 0.01), length=st.floats(0.001, SECONDS))
def test_a_cut_is_a_slice(encoded: bytes, start: float, length: float) -> None:
    whole = decode_audio(encoded, RATE, 60).waveform
    cut = decode_audio(encoded, RATE, 60, Cut(start, start + length)).waveform
    np.testing.assert_array_equal(cut, whole[round(start * RATE) : round((start + length) * RATE)])


def test_open_ends(encoded: bytes) -> None:
    whole = decode_audio(encoded, RATE, 60).waveform
    for cut, part in (
        (Cut(None, None), whole),
        (Cut(None, 2.5), whole[:20_000]),
        (Cut(28.0, None), whole[224_000:]),
        (Cut(29.0, 1e308), whole[232_000:]),
        (Cut(-3.0, 1.0), whole[:8000]),
    ):
        np.testing.assert_array_equal(decode_audio(encoded, RATE, 60, cut).waveform, part)


def test_a_cut_is_resampled_by_itself(encoded: bytes) -> None:
    part = decode_audio(encoded, RATE, 60, Cut(3.0, 5.0)).waveform
    file = io.BytesIO()
    sf.write(file, part, RATE, format="WAV", subtype="FLOAT")
    np.testing.assert_array_equal(
        decode_audio(encoded, 16000, 60, Cut(3.0, 5.0)).waveform,
        decode_audio(file.getvalue(), 16000, 60).waveform,
    )


def test_cuts_that_hold_nothing(encoded: bytes) -> None:
    assert code_of(encoded, Cut(30.0, 40.0)) == "too_short"
    assert code_of(encoded, Cut(31.0, None)) == "too_short"
    assert code_of(encoded, Cut(5.0, 5.0)) == "empty"
    assert code_of(encoded, Cut(5.0, 4.0)) == "empty"


def test_what_is_wanted_may_be_too_long(encoded: bytes) -> None:
    assert code_of(encoded, Cut(5.0, 20.0), max_seconds=14.9) == "too_long"
    assert len(decode_audio(encoded, RATE, 15, Cut(5.0, 20.0)).waveform) == 15 * RATE


@pytest.mark.parametrize(
    ("cut", "first", "last"),
    [
        (Cut(100.0, 130.0, only_if_longer=True), 0, 30.0),
        (Cut(100.0, 129.5, only_if_longer=True), 0, 30.0),
        (Cut(10.0, 39.0, only_if_longer=True), 10.0, 30.0),
        (Cut(10.0, 20.0, only_if_longer=True), 10.0, 20.0),
        (Cut(10.0, 20.0), 10.0, 20.0),
    ],
)
def test_a_source_that_is_the_part_already(
    encoded: bytes, cut: Cut, first: float, last: float
) -> None:
    whole = decode_audio(encoded, RATE, 60).waveform
    np.testing.assert_array_equal(
        decode_audio(encoded, RATE, 60, cut).waveform, whole[int(first * RATE) : int(last * RATE)]
    )


def test_a_longer_source_that_ends_before_the_part(encoded: bytes) -> None:
    assert code_of(encoded, Cut(100.0, 110.0, only_if_longer=True)) == "too_short"


def an_hour() -> Iterator[Block]:
    """Blocks of 1 s at 48 kHz, each a number of its own."""
    for second in range(3600):
        yield Block(np.full(48_000, second, np.float32), 48_000, 1)


@pytest.mark.parametrize("only_if_longer", [True, False])
def test_an_hour_does_not_fill_the_memory(*, only_if_longer: bool) -> None:
    tracemalloc.start()
    try:
        (run,) = take(an_hour(), Cut(3000.0, 3010.0, only_if_longer), 60)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [block[0] for block in run.kept] == list(range(3000, 3010))
    assert peak < 25 * 48_000 * 4  # 10 s are wanted; an hour would be 3600


@pytest.mark.parametrize("start", [0.0, 3000.0, 1e6])
def test_a_list_does_not_choose_how_much_is_held(start: float) -> None:
    """No source is longer than such a part, so that an hour is taken whole: it is too long."""
    tracemalloc.start()
    try:
        with pytest.raises(AudioError, match="more than 60 s") as raised:
            take(an_hour(), Cut(start, 1e9, only_if_longer=True), 60)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert raised.value.code == "too_long"
    assert peak < 65 * 48_000 * 4


@given(
    start=st.floats(0, 30),
    length=st.floats(0.1, 30),
    max_seconds=st.floats(0.1, 30),
    seconds=st.integers(1, 30),
)
def test_only_if_longer_is_the_whole_or_the_cut(
    start: float, length: float, max_seconds: float, seconds: int
) -> None:
    """As if the length of the source were known before it is read."""

    def outcome(cut: Cut | None) -> tuple[str, list[float]]:
        ramp = np.arange(seconds * 100, dtype=np.float32).reshape(-1, 50)
        try:
            runs = take((Block(part, 100, 1) for part in ramp), cut, max_seconds)
        except AudioError as error:
            return error.code, []
        return "", np.concatenate(runs[0].kept).tolist()

    end = start + length
    longer = seconds > end - start + 0.5
    found = outcome(Cut(start, end, only_if_longer=True))
    assert found == outcome(Cut(start, end) if longer else None)


def test_reading_stops_at_the_end_of_the_cut() -> None:
    blocks = an_hour()
    take(blocks, Cut(2.0, 4.0), 60)
    assert next(blocks).mono[0] == 4


def test_each_rate_counts_by_itself() -> None:
    """2 s at 8 kHz, then 2 s at 16 kHz: from 1.5 s to 3 s are 4,000 and 16,000 samples."""

    def blocks() -> Iterator[Block]:
        for rate in (8000, 8000, 16000, 16000):
            yield Block(np.zeros(rate, np.float32), rate, 1)

    runs = take(blocks(), Cut(1.5, 3.0), 60)
    assert [(run.rate, sum(map(len, run.kept))) for run in runs] == [(8000, 4000), (16000, 16000)]
    with pytest.raises(AudioError, match=r"more than 3\.9 s"):
        take(blocks(), None, 3.9)
