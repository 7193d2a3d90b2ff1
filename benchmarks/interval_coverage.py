"""How often a 95 % bootstrap interval holds the true value: ours, and plain percentiles beside it.

    python benchmarks/interval_coverage.py

Test sets are simulated, so that the true value (the mean over test sets of this size) is known. A
model is noise plus `skill` where the label is true; the second model is the first with more noise.
Three parts: the means over labels; single labels, rare and common; and takes of one recording, drawn
as clips and as groups. About four minutes.
"""

import argparse
from dataclasses import dataclass

import numpy as np

from stages.metrics.average_precision import average_precision
from stages.metrics.bootstrap import bootstrap, interval, intervals
from stages.metrics.omap import ontology_average_precision
from stages.metrics.ranking import Rankings, rank

RESAMPLES = 150
RESAMPLES_OF_LABELS = 300
POSITIVES = (1, 2, 5, 10, 20, 50, 200)


@dataclass(frozen=True)
class Simulation:
    """Test sets of `clips` clips, in recordings of `takes` clips with the same labels.

    Each clip has a label with probability `share`; or exactly so many `positives` have it, in turn
    over the labels. `alike` is the share of the noise's variance that the takes of a recording have
    in common, and `better` how much more skill the second model has.
    """

    clips: int
    labels: int
    skill: float
    share: float = 0.02
    positives: tuple[int, ...] = ()
    better: float = 0.15
    takes: int = 1
    alike: float = 0.0

    def test_set(self, seed: int) -> list[Rankings]:
        """Draw clips and rank them by two models."""
        generator = np.random.default_rng(seed)
        recordings = self.clips // self.takes
        chance = generator.random((recordings, self.labels))
        targets = (chance < self.share).repeat(self.takes, axis=0)
        if self.positives:
            order = chance.argsort(axis=0).argsort(axis=0)
            targets = order < np.resize(self.positives, self.labels)
        noise, more = (self.noise(generator, recordings) for _ in range(2))
        place = np.arange(self.labels) % 15
        distances = np.maximum(np.abs(np.subtract.outer(place, place)), 1)
        np.fill_diagonal(distances, 0)
        second = np.sqrt(0.8) * noise + np.sqrt(0.2) * more + (self.skill + self.better) * targets
        return [rank(one, targets, distances) for one in (noise + self.skill * targets, second)]

    def noise(self, generator: np.random.Generator, recordings: int) -> np.ndarray:
        """Draw noise of variance 1 (clips, labels)."""
        own = generator.normal(size=(recordings * self.takes, self.labels))
        if not self.alike:
            return own
        shared = generator.normal(size=(recordings, self.labels)).repeat(self.takes, axis=0)
        return np.sqrt(self.alike) * shared + np.sqrt(1 - self.alike) * own

    def groups(self) -> np.ndarray:
        """Number each clip's recording (clips,)."""
        return np.arange(self.clips // self.takes).repeat(self.takes)


def values(models: list[Rankings]) -> np.ndarray:
    """Measure mAP and OmAP of the first model, and the difference of mAP."""
    means = [np.nanmean(average_precision(model)) for model in models]
    omap = np.nanmean(ontology_average_precision(models[0]))
    return np.array([means[0], omap, means[0] - means[1]])


def replicates_of(models: list[Rankings], seed: int, groups: np.ndarray | None) -> np.ndarray:
    """Resample the same three (3, resamples)."""
    first, second = bootstrap(models, RESAMPLES, seed, groups=groups)
    return np.stack(
        [
            first.mean_average_precision,
            first.ontology_mean_average_precision,
            first.mean_average_precision - second.mean_average_precision,
        ]
    )


def coverage(made: Simulation, sets: int, grouped: bool) -> None:
    """Print how often the intervals of mAP, OmAP and the difference hold the true value."""
    truth = np.mean([values(made.test_set(10_000 + seed)) for seed in range(4 * sets)], axis=0)
    held = np.zeros((2, 3))
    for seed in range(sets):
        models = made.test_set(seed)
        replicates = replicates_of(models, seed, made.groups() if grouped else None)
        for which, value in enumerate(values(models)):
            plain = np.quantile(replicates[which], [0.025, 0.975])
            ours = interval(value, replicates[which]) or (np.nan, np.nan)
            held[0, which] += plain[0] <= truth[which] <= plain[1]
            held[1, which] += ours[0] <= truth[which] <= ours[1]
    print(f"{made}, {'groups' if grouped else 'clips'} drawn; true mAP {truth[0]:.3f}")
    for name, share in zip(("plain percentiles", "ours"), held / sets, strict=True):
        print(f"  {name:18} mAP {share[0]:.2f}  OmAP {share[1]:.2f}  difference {share[2]:.2f}")


def label_coverage(made: Simulation, sets: int) -> None:
    """Print, by number of positives, how often labels' intervals hold their AP, and exclude 0.

    The two models are to be equally good: a difference that excludes 0 is a false alarm.
    """
    kinds = np.resize(np.arange(len(made.positives)), made.labels)
    of_kind = [kinds == kind for kind in range(len(made.positives))]
    fresh = [average_precision(made.test_set(10_000 + seed)[0]) for seed in range(4 * sets)]
    truth = np.array([np.array(fresh)[:, those].mean() for those in of_kind])
    held = np.zeros((3, made.labels))
    for seed in range(sets):
        models = made.test_set(seed)
        one, other = (average_precision(model) for model in models)
        spread, spread_other = (
            found.average_precision for found in bootstrap(models, RESAMPLES_OF_LABELS, seed)
        )
        plain = np.nanquantile(spread, [0.025, 0.975], axis=0).T
        ours = intervals(one, spread, 0.0, 1.0)
        for row, bounds in enumerate((plain, ours)):
            held[row] += (bounds[:, 0] <= truth[kinds]) & (truth[kinds] <= bounds[:, 1])
        apart = intervals(one - other, spread - spread_other, -1.0, 1.0)
        held[2] += (apart[:, 0] > 0) | (apart[:, 1] < 0)
    print(f"{made}, single labels, two models equally good")
    for positives, those, ap in zip(made.positives, of_kind, truth, strict=True):
        shares = held[:, those].mean(axis=1) / sets
        print(
            f"  {positives:3} positives  AP {ap:.2f}  plain percentiles {shares[0]:.2f}  "
            f"ours {shares[1]:.2f}  difference excludes 0 {shares[2]:.2f}"
        )


def main() -> None:
    """Run the three parts."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    for made, sets in (
        (Simulation(2000, 200, skill=2.0), 60),
        (Simulation(2000, 200, skill=0.0), 60),
        (Simulation(1000, 10, skill=2.0), 150),
        (Simulation(1000, 10, skill=3.5), 150),
    ):
        coverage(made, sets, grouped=False)
    for skill in (2.0, 3.5):
        label_coverage(Simulation(2000, 42, skill, positives=POSITIVES, better=0.0), 60)
    for clips in (1000, 250):
        takes = Simulation(clips, 10, skill=2.0, share=0.05, takes=5, alike=0.7)
        for grouped in (False, True):
            coverage(takes, 150, grouped)


if __name__ == "__main__":
    main()
