"""MIDI files, read back by mido and heard through the renderer."""

import io
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.demo_data.midi import Note, midi_file
from stages.demo_data.sound_font import render

NOTES = st.lists(
    st.builds(
        lambda start, lasts, key, velocity: Note(
            start / 1000, (start + lasts) / 1000, key, velocity
        ),
        st.integers(0, 9000),
        st.integers(1, 9000),
        st.integers(0, 127),
        st.integers(1, 127),
    ),
    max_size=6,
)


@given(notes=NOTES, bank=st.sampled_from([0, 128]), program=st.integers(0, 127))
def test_mido_reads_the_same_notes(notes: list[Note], bank: int, program: int) -> None:
    content = midi_file(notes, bank=bank, program=program, cents=0, reverb=40, seconds=10)
    file = mido.MidiFile(file=io.BytesIO(content))
    now, found = 0, []
    for message in file.tracks[0]:
        now += message.time
        found.append((now, message))
    channel = 9 if bank == 128 else 0
    assert file.ticks_per_beat == 1000
    assert [(m.channel, m.program) for _, m in found if m.type == "program_change"] == [
        (channel, program)
    ]
    starts = [(at, m.channel, m.note, m.velocity) for at, m in found if m.type == "note_on"]
    assert sorted(starts) == sorted(
        (round(note.start_seconds * 1000), channel, note.key, note.velocity) for note in notes
    )
    ends = [(at, m.note) for at, m in found if m.type == "note_off"]
    assert sorted(ends) == sorted(
        (min(round(note.end_seconds * 1000), 10000), note.key) for note in notes
    )
    assert now == 10000
    assert file.length == pytest.approx(10)


@pytest.mark.parametrize("cents", [-300, -50, 0, 300])
def test_detuning_moves_the_pitch_by_that_much(cents: float, sound_font: Path) -> None:
    def pitch_hz(cents: float) -> float:
        midi = midi_file([Note(0, 2, 69, 90)], bank=0, program=79, cents=cents, reverb=0, seconds=2)
        samples, sample_rate = render(sound_font, midi)  # an ocarina: nearly a sine tone
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 19))
        return float(np.argmax(spectrum) * sample_rate / (1 << 19))

    # Within a vibrato's breadth.
    assert 1200 * np.log2(pitch_hz(cents) / pitch_hz(0)) == pytest.approx(cents, abs=10)


def test_reverberation_is_heard_after_the_note(sound_font: Path) -> None:
    def tail(reverb: int) -> float:
        midi = midi_file(
            [Note(0, 0.3, 42, 120)], bank=128, program=0, cents=0, reverb=reverb, seconds=1
        )
        samples, sample_rate = render(sound_font, midi)
        return float(np.square(samples[sample_rate // 2 :]).sum())

    assert tail(100) > 2 * tail(0)


def test_rendering_is_deterministic(sound_font: Path) -> None:
    midi = midi_file([Note(0, 1, 60, 90)], bank=0, program=0, cents=7, reverb=60, seconds=1)
    first, _ = render(sound_font, midi)
    again, _ = render(sound_font, midi)
    assert first.tobytes() == again.tobytes()
