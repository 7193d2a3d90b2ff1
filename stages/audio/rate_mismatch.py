"""What is said where stored audio is at another sample rate than the model that hears it."""


def rate_warning(stored_hz: int, heard_hz: int, hearer: str) -> str | None:
    """One line, or None where the rates are equal.

    Args:
        stored_hz: sample rate in Hz of the audio of the workspace.
        heard_hz: sample rate in Hz of the waveforms that the model takes.
        hearer: the model in words, as in "encoder 'ast'".
    """
    if stored_hz == heard_hz:
        return None
    found = f"audio is at {stored_hz} Hz, {hearer} hears {heard_hz} Hz: resampled on reading"
    again = f"prepare with --sample-rate {heard_hz}"
    if stored_hz > heard_hz:
        return f"{found}; {again} to save the time"
    missing = f"what it would hear above {stored_hz / 2:g} Hz is missing"
    return f"{found}, and {missing}; {again} where the sources have more"
