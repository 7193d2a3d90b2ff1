"""Listing at AudioSet's size: 2,042,985 segments against 200,000 small files in 41 folders.

    python benchmarks/prepare_scale.py CLASS_LABELS_INDICES.csv ONTOLOGY.json [--folder DIR]

Makes the list and the files (0.9 GB with a block a file; kept in --folder for the next time), then
runs all of `spa prepare` that comes before the first file is decoded: the walk, the list, the
match by name, labels, splits and the plan. Beside it, as the baseline, runs a bare loop that does
the least: os.walk, csv.reader, and a dict from id to file. Each is a process of its own; its time
and the most memory it took, with its children, are printed.
"""

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

SEGMENTS, FILES, FOLDERS = 2_042_985, 200_000, 41
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LIST = "unbalanced_train_segments.csv"


def make_source(folder: Path, label_list: Path) -> None:
    """Write the list, and a hundredth of a second of sound for every tenth segment."""
    with label_list.open(encoding="utf-8") as file:
        mids = [row["mid"] for row in csv.DictReader(file)]
    rng = random.Random(0)  # noqa: S311 - made-up names, no secrets
    ids = ["".join(rng.choices(_LETTERS, k=11)) for _ in range(SEGMENTS)]
    folder.mkdir(parents=True)
    with (folder / _LIST).open("w", encoding="utf-8") as file:
        file.write("# YTID, start_seconds, end_seconds, positive_labels\n")
        for youtube_id in ids:
            start = rng.randrange(300)
            labels = ",".join(rng.sample(mids, rng.choice((1, 2, 2, 3))))
            file.write(f'{youtube_id}, {start:.3f}, {start + 10:.3f}, "{labels}"\n')
    for number in range(FOLDERS):
        (folder / f"part{number:02d}").mkdir()
    for number, youtube_id in enumerate(rng.sample(ids, FILES)):
        with wave.open(str(folder / f"part{number % FOLDERS:02d}/Y{youtube_id}.wav"), "wb") as clip:
            clip.setparams((1, 2, 8000, 0, "NONE", ""))
            clip.writeframes(rng.randbytes(160))


def listing(source: Path, ontology_json: Path) -> int:
    """All of `spa prepare` before the first file is decoded; the clips that are to be taken."""
    from ontology.build import build_ontology
    from ontology.database import open_ontology
    from stages.lineage import source_hash
    from stages.prepare.catalogue import Catalogue
    from stages.prepare.finding import find_clips
    from stages.prepare.labelling import label_clips
    from stages.prepare.layouts.detect import choose_layout
    from stages.prepare.planning import plan_shards
    from stages.prepare.settings import PrepareSettings
    from stages.prepare.source import walk_source
    from stages.prepare.splits import assign_splits
    from stages.reporter import QuietReporter

    settings = PrepareSettings(source=source, ontology=ontology_json)
    with tempfile.TemporaryDirectory() as folder:
        source_hash(source, Path(folder))
        build_ontology(ontology_json, Path(folder, "ontology.duckdb"))
        walked = walk_source(source, (), Catalogue(Path(folder, "spill")))
        found = choose_layout(walked, "auto").scan(walked)
        find_clips(found, walked)
        with open_ontology(Path(folder, "ontology.duckdb")) as ontology:
            label_clips(found, walked.catalogue, settings, ontology, QuietReporter())
        assign_splits(walked.catalogue, "auto", (), 0.2, 0.1)
        plan = plan_shards(walked.catalogue, clips=FILES, cut_if_longer=True)
        return sum(len(shard.clips) for shard in plan)


def bare_loop(source: Path) -> int:
    """The least that there is to do: the segments of which there is a file."""
    files = {}
    for folder, _, names in os.walk(source):
        for name in names:
            files[name[1:].partition(".")[0]] = f"{folder}/{name}"
    with (source / _LIST).open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, skipinitialspace=True)
        return sum(row[0] in files for row in rows)


def in_a_process(what: str, *arguments: Path) -> tuple[int, float, float]:
    """What `what` returns, its seconds, and its peak of memory in MB, children included."""
    command = [sys.executable, __file__, "--only", what, *map(str, arguments)]
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return found["clips"], time.perf_counter() - start, found["peak_mb"]


def peak_mb() -> float:
    """Most memory that this process has held, its children's added."""
    import resource

    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_maxrss for usage in usages) / (1024 if sys.platform == "linux" else 1 << 20)


def main() -> None:
    """Run both, and print times, memory and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("label_list", type=Path)
    parser.add_argument("ontology", type=Path)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        source = options.folder or Path(temporary, "source")
        if not source.exists():
            make_source(source, options.label_list)
        bare_loop(source)  # both then read from the page cache
        bare = in_a_process("bare", source)
        ours = in_a_process("listing", source, options.ontology)
    assert bare[0] == ours[0] == FILES
    print(f"{SEGMENTS} segments, {FILES} files in {FOLDERS} folders, {ours[0]} clips found")
    print(f"bare loop:        {bare[1]:6.1f} s, {bare[2]:5.0f} MB at the peak")
    print(f"spa prepare:      {ours[1]:6.1f} s, {ours[2]:5.0f} MB at the peak")
    print(f"ratio of times:   {ours[1] / bare[1]:6.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--only"]:
        work = {"bare": bare_loop, "listing": listing}[sys.argv[2]]
        print(json.dumps({"clips": work(*map(Path, sys.argv[3:])), "peak_mb": peak_mb()}))
    else:
        main()
