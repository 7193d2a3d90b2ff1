"""How one model differs from another, in words."""

from rich.console import Console

from spa_cli.console import printable
from stages.evaluate.summary import Difference, Interval


def show_difference(difference: Difference, omap_is_meaningless: bool, console: Console) -> None:
    """Print this model minus the other, in points of 100, and how many labels it won and lost."""
    rows = [("mAP", difference.mAP, difference.AP_won, difference.AP_lost)]
    if not omap_is_meaningless:
        rows.insert(0, ("OmAP", difference.OmAP, difference.OmAP_won, difference.OmAP_lost))
    for name, value, won, lost in rows:
        line = (
            f"{name} minus that of '{difference.against}': {_points(value)} points of 100"
            f"{_verdict(value)}; of {difference.labels_compared} labels with"
            f" {difference.least_positives} positives or more,"
            f" {len(won)} won, {len(lost)} lost ({difference.expected_by_chance:.1f} in all by chance)"
        )
        console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def _points(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return f"{100 * interval.value:+.2f}"
    return f"{100 * interval.value:+.2f} [{100 * interval.low:+.2f}, {100 * interval.high:+.2f}]"


def _verdict(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return ""
    if interval.low > 0:
        return " (better)"
    return " (worse)" if interval.high < 0 else " (no clear difference)"
