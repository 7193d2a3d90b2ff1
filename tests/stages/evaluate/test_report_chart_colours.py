"""The colours of the charts, read from their style sheet."""

import re
from importlib.resources import files

import numpy as np
import pytest


def style() -> str:
    return files("stages.evaluate.report").joinpath("charts.css").read_text(encoding="utf-8")


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.1)."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("dark", [False, True])
def test_names_on_arcs_can_be_read(dark: bool) -> None:
    parts = re.split(r"@media screen and \(prefers-color-scheme: dark\)", style())
    light = parts[0] + "".join(part[part.index("\n}\n") :] for part in parts[1:])
    rules = light + ("".join(part[: part.index("\n}\n")] for part in parts[1:]) if dark else "")
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", rules))
    letters = {f"ap-{i}": "on-dark" for i in range(10)} | {
        f"diff-{i}": "on-dark" for i in range(11)
    }
    for classes, letter in re.findall(r"text\.on:is\((.*?)\) { fill: var\(--(.*?)\)", rules):
        letters |= dict.fromkeys(re.findall(r"[\w-]+", classes), letter)
    assert len(letters) == 21
    for css, letter in letters.items():
        assert f".{css} {{ fill: var(--{css}); }}" in rules
        low, high = sorted((luminance(colours[css]), luminance(colours[letter])))
        assert (high + 0.05) / (low + 0.05) >= 4.4, (css, letter)


def test_ap_gets_lighter_step_by_step() -> None:
    colours = dict(re.findall(r"--(ap-\d): (#\w{6})", style().partition("@media")[0]))
    assert (np.diff([luminance(colours[f"ap-{i}"]) for i in range(10)]) > 0).all()
