"""How fast a training goes, in words."""


def in_words(clips_per_second: float) -> str:
    """Return the rate with two digits at least: large encoders take seconds a clip on a CPU."""
    if clips_per_second >= 10:
        return f"{clips_per_second:.0f} clips/s"
    if clips_per_second >= 1:
        return f"{clips_per_second:.1f} clips/s"
    return f"{clips_per_second:.2g} clips/s"
