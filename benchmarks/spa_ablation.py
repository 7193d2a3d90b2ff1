"""Which form of SPA wins, and by how much: contenders on several sets, seeds and folds.

    python benchmarks/spa_ablation.py --workspace W --sets a b1 --seeds 5 --jobs 2

What is finished is kept in W/results.parquet and W/scores and not done again; a training that was
killed goes on from its last saved state. Then the tables are printed: mAP and OmAP in points of
100, mean and standard deviation over seeds, and the difference to one-hot training with its 95 %
interval over seeds and clips. How it is done and what came out: docs/ablation.md.
"""

import argparse
import os
import sys
from pathlib import Path

from ablation.contenders import CONTENDERS
from ablation.kept import Kept
from ablation.plan import Plan
from ablation.results import write_results
from ablation.schedule import run_jobs
from ablation.sets import SETS
from ablation.summaries import summarise
from ablation.tables import markdown, terminal, write_page

from stages.errors import SpaError
from stages.lock import HeldError, locked
from stages.processes import default_workers

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Read the options and do it, alone in the workspace."""
    options = _options()
    folder = options.workspace / "smoke" if options.smoke else options.workspace
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with locked(folder, "ablation"):
            failed = run(options, folder.resolve())
    except HeldError as error:
        sys.exit(f"another ablation is at work in {folder} (process {error.pid})")
    except SpaError as error:
        sys.exit(f"{error}" + (f"; {error.next_step}" if error.next_step else ""))
    sys.exit(1 if failed else 0)


def run(options: argparse.Namespace, folder: Path) -> bool:
    """Train what is missing, then show and write what was asked for.

    Returns:
        Whether a training failed.

    Raises:
        SpaError: data could not be prepared, a process died, or the page has no place for a table.
    """
    jobs = Plan(
        sets=options.sets,
        contenders=options.contenders,
        seeds=options.seeds,
        epochs_of=dict(options.epochs_of),
        shared=options.shared,
        folder=folder,
        smoke=options.smoke,
    ).jobs()
    kept = Kept(folder)
    missing = [] if options.no_training else kept.missing(jobs)
    print(f"{len(jobs)} trainings, {len(missing)} to do", file=sys.stderr, flush=True)
    failed = run_jobs(missing, options.jobs, kept.add)
    for job, error in failed:
        print(f"{job.name} failed: {error}", file=sys.stderr)
    found = kept.found(jobs)
    summaries = summarise(found)
    print(terminal(summaries))
    if options.page:
        write_page(options.page, markdown(summaries))
    if options.export:
        write_results(options.export, [row for row, _ in found.values()])
    return bool(failed)


def _options() -> argparse.Namespace:
    sets, contenders = [one.name for one in SETS], [one.name for one in CONTENDERS]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--workspace", type=Path, default=Path("spa-ablation"), help="where everything is kept")
    add(
        "--shared",
        type=Path,
        default=Path(os.environ.get("SPA_SHARED", ROOT.parent / "shared")),
        help="folder that holds data/esc10, data/urbansound8k, data/audioset and data/weights",
    )
    add("--sets", nargs="+", choices=sets, default=sets, metavar="SET", help=", ".join(sets))
    add(
        "--contenders",
        nargs="+",
        choices=contenders,
        default=contenders,
        metavar="NAME",
        help=f"beside one-hot; all by default: {', '.join(contenders)}",
    )
    add("--seeds", type=int, default=5, help="how many, from 0")
    add("--jobs", type=int, default=default_workers(), help="trainings side by side")
    add(
        "--epochs-of",
        nargs="+",
        type=_epochs_of,
        default=[],
        metavar="SET=EPOCHS",
        help="other epochs than a set's own",
    )
    add("--no-training", action="store_true", help="show what is there (data are still made)")
    add("--page", type=Path, help="Markdown page whose table is to be written anew")
    add("--export", type=Path, help="Parquet file for the results without the scores")
    add("--smoke", action="store_true", help="all as small as can be, in a folder of its own")
    return parser.parse_args()


def _epochs_of(text: str) -> tuple[str, int]:
    name, _, epochs = text.partition("=")
    if name not in {one.name for one in SETS} or not epochs.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not like a=10")
    return name, int(epochs)


if __name__ == "__main__":
    main()
