"""How often a 95 % bootstrap interval holds the true value: ours, and plain percentiles beside it.

    python benchmarks/interval_coverage.py

Test sets are simulated, so that the true value (the mean over test sets of this size) is known. A
model is noise plus `skill` where the label is true; the second model is the first with more noise.
About two minutes.
"""

import numpy as np

from stages.metrics.average_precision import average_precision
from stages.metrics.bootstrap import bootstrap, interval
from stages.metrics.omap import ontology_average_precision
from stages.metrics.ranking import Rankings, rank

RESAMPLES = 150
SETTINGS = (  # clips, labels, share of positives, skill, test sets, test sets for the true value
    (2000, 200, 0.02, 2.0, 60, 200),
    (2000, 200, 0.02, 0.0, 60, 200),
    (1000, 10, 0.02, 2.0, 150, 600),
    (1000, 10, 0.02, 3.5, 150, 600),
)


def test_set(seed: int, clips: int, labels: int, share: float, skill: float) -> list[Rankings]:
    """Draw clips and rank them by two models."""
    generator = np.random.default_rng(seed)
    targets = generator.random((clips, labels)) < share
    noise, more = generator.normal(size=(2, clips, labels))
    place = np.arange(labels) % 15
    distances = np.maximum(np.abs(np.subtract.outer(place, place)), 1)
    np.fill_diagonal(distances, 0)
    scores = (noise + skill * targets, 0.9 * noise + 0.45 * more + (skill + 0.15) * targets)
    return [rank(values, targets, distances) for values in scores]


def values(models: list[Rankings]) -> np.ndarray:
    """Measure mAP and OmAP of the first model, and the difference of mAP."""
    means = [np.nanmean(average_precision(model)) for model in models]
    omap = np.nanmean(ontology_average_precision(models[0]))
    return np.array([means[0], omap, means[0] - means[1]])


def replicates_of(models: list[Rankings], seed: int) -> np.ndarray:
    """Resample the same three (3, resamples)."""
    found = bootstrap(models, RESAMPLES, seed)
    return np.stack([found[0, :, 0], found[0, :, 1:].mean(axis=1), found[0, :, 0] - found[1, :, 0]])


def main() -> None:
    """Print the coverage for each setting."""
    for *setting, sets, sets_for_truth in SETTINGS:
        truth = np.mean(
            [values(test_set(10_000 + seed, *setting)) for seed in range(sets_for_truth)], axis=0
        )
        held = np.zeros((2, 3))
        for seed in range(sets):
            models = test_set(seed, *setting)
            for which, (value, replicates) in enumerate(
                zip(values(models), replicates_of(models, seed), strict=True)
            ):
                plain = np.quantile(replicates, [0.025, 0.975])
                ours = interval(value, replicates) or (np.nan, np.nan)
                held[0, which] += plain[0] <= truth[which] <= plain[1]
                held[1, which] += ours[0] <= truth[which] <= ours[1]
        print(f"clips, labels, share, skill: {setting}; true mAP {truth[0]:.3f}")
        for name, share in zip(("plain percentiles", "ours"), held / sets, strict=True):
            print(f"  {name:18} mAP {share[0]:.2f}  OmAP {share[1]:.2f}  difference {share[2]:.2f}")


if __name__ == "__main__":
    main()
