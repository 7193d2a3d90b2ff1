"""Where an axis has its ticks, and how they are written."""

from math import ceil, floor, log10


def nice_step(span: float, steps: int) -> float:
    """The least of 1, 2 or 5 times a power of ten that takes at most `steps` steps over `span`."""
    least = span / steps
    power = 10.0 ** floor(log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


def ticks(low: float, high: float, steps: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, both within their range, about `steps` + 1 of them."""
    step = nice_step(high - low, steps)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def count_ticks(largest: float, steps: int = 4) -> list[int]:
    """Whole numbers from 0 up to the first that is at least `largest`."""
    step = max(1, round(nice_step(max(largest, 1), steps)))
    return list(range(0, step * ceil(max(largest, 1) / step) + 1, step))


def tick_words(tick: float) -> str:
    """A tick of a measure between -1 and 1, without a needless zero: 0.5, 0.25, 1."""
    return f"{tick:.3f}".rstrip("0").rstrip(".").replace("-", "\u2212")


def decades(least: float, most: float, ticks: int = 7) -> list[int]:
    """Ticks of a logarithmic axis of counts, at least three, that hold `least` to `most` (from 1 on).

    1, 2 and 5 times powers of ten; of a range that has more than `ticks`, powers of ten alone.
    """
    powers = range(floor(log10(least)), ceil(log10(most)) + 2)
    fine = [m * 10**power for power in powers for m in (1, 2, 5)]
    first = max(i for i, tick in enumerate(fine) if tick <= least)
    last = next(i for i, tick in enumerate(fine) if tick >= most)
    within = fine[first : max(last, first + 2) + 1]
    if len(within) <= ticks:
        return within
    return [10**power for power in powers if 10 ** (power - 1) < most]
