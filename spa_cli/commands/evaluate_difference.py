"""How one model differs from another, in words."""

from rich.console import Console

from spa_cli.console import printable
from stages.evaluate.summary import Difference, Interval

_NAMES_SHOWN = 5


def show_difference(difference: Difference, omap_is_meaningless: bool, console: Console) -> None:
    """Print this model minus the other, in points of 100, and which labels it won and lost."""
    rows = [("mAP", difference.other_mAP, difference.mAP, difference.AP_won, difference.AP_lost)]
    if not omap_is_meaningless:
        won, lost = difference.OmAP_won, difference.OmAP_lost
        rows.insert(0, ("OmAP", difference.other_OmAP, difference.OmAP, won, lost))
    names = {label.mid: label.label for label in difference.per_label}
    for name, other, value, won, lost in rows:
        lines = [
            f"{name} minus that of '{difference.against}' ({other.value:.4f}):"
            f" {_points(value)} points of 100{_verdict(value)}"
        ]
        if value.low is not None and difference.labels_compared:
            lines.append(
                f"  of {difference.labels_compared} labels with {difference.least_positives} positives or"
                f" more, {len(won)} won, {len(lost)} lost"
                f" ({difference.expected_by_chance:.1f} in all by chance)"
            )
            for what, mids in (("won", won), ("lost", lost)):
                if mids:
                    more = "; ..." if len(mids) > _NAMES_SHOWN else ""
                    lines.append(
                        f"  {what}: {'; '.join(names[mid] for mid in mids[:_NAMES_SHOWN])}{more}"
                    )
        for line in lines:
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
