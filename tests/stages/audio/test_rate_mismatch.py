"""What is said of audio at another rate."""

import pytest

from stages.audio.rate_mismatch import rate_warning


def test_equal_rates_are_no_news() -> None:
    assert rate_warning(32000, 32000, "encoder 'small'") is None


def test_audio_at_a_higher_rate_costs_time_only() -> None:
    said = rate_warning(32000, 16000, "encoder 'ast'")
    assert said is not None
    assert "audio is at 32000 Hz, encoder 'ast' hears 16000 Hz" in said
    assert "--sample-rate 16000 to save the time" in said
    assert "missing" not in said


@pytest.mark.parametrize(("stored_hz", "highest"), [(16000, "8000 Hz"), (22050, "11025 Hz")])
def test_audio_at_a_lower_rate_lacks_what_the_model_would_hear(
    stored_hz: int, highest: str
) -> None:
    said = rate_warning(stored_hz, 32000, "encoder 'mn04'")
    assert said is not None
    assert f"above {highest} is missing" in said
    assert "--sample-rate 32000" in said
