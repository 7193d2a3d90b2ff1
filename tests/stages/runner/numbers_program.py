"""A stage that writes numbers slowly, and a program that runs it in processes which it kills.

Called by the tests as `numbers_program.py JOB ARGUMENTS...`; prints what happened as JSON. Each run is
a fork of this process, which has one thread and has imported everything: hundreds take seconds.
"""

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field

from stages.atomic import replacing
from stages.context import StageContext
from stages.errors import WORK_KEPT, SpaError
from stages.pipeline import Artifact, Stage
from stages.reporter import QuietReporter
from stages.runner import run_stage
from stages.settings import NO_EFFECT, StageSettings, StageSummary


class NumbersSettings(StageSettings):
    word: str = "new"
    pieces: int = 8
    pause_seconds: float = Field(0.0, json_schema_extra=NO_EFFECT)
    log: Path | None = Field(None, json_schema_extra=NO_EFFECT)
    stop_at: int | None = Field(None, json_schema_extra=NO_EFFECT)
    stop_with: str = Field("interrupt", json_schema_extra=NO_EFFECT)


class NumbersSummary(StageSummary):
    pieces: int


def run(settings: NumbersSettings, context: StageContext) -> NumbersSummary:
    """Write pieces that are not there yet, each marked as done in `parts`; then a file about all."""
    for folder in ("numbers", "parts"):
        (context.staging / folder).mkdir(exist_ok=True)
    for i in range(settings.pieces):
        part = context.staging / "parts" / str(i)
        if part.exists():
            continue
        if settings.log:
            with settings.log.open("a") as log:
                log.write(f"{i}\n")
        if i == settings.stop_at:
            stop(settings.stop_with, context.staging)
        with replacing(context.staging / "numbers" / f"{i}.txt") as temporary:
            temporary.write_text(f"{settings.word} {i}")
            time.sleep(settings.pause_seconds)
        with replacing(part) as temporary:
            temporary.touch()
    with replacing(context.staging / "all.txt") as temporary:
        temporary.write_text(f"{settings.word} {settings.pieces}")
    return NumbersSummary(pieces=settings.pieces)


def stop(how: str, staging: Path) -> None:
    """Stop the run in one of the ways in which runs stop."""
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "error":
        raise SpaError("stopped on demand", "demand something else")
    if how == "memory":
        raise MemoryError
    if how == "wait":
        time.sleep(60)
    WRITERS[how](staging / "numbers" / "large")


def write_plain(path: Path) -> None:
    with path.open("wb") as file:
        file.write(os.urandom(1 << 20))


def write_device(path: Path) -> None:
    path.symlink_to("/dev/full")
    write_plain(path)


def write_parquet(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"x": [os.urandom(1 << 20)]}), path)


def write_duckdb(path: Path) -> None:
    import duckdb

    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t AS SELECT uuid()::VARCHAR AS x FROM range(100000)")


WRITERS: dict[str, Callable[[Path], None]] = {
    "plain": write_plain,
    "device": write_device,
    "parquet": write_parquet,
    "duckdb": write_duckdb,
}


class Numbers(Stage[NumbersSettings, NumbersSummary]):
    """The program is not importable by name: hand the function over."""

    def load(self) -> Callable[[NumbersSettings, Any], NumbersSummary]:
        return run if self.name == "numbers" else idle


def idle(settings: NumbersSettings, context: StageContext) -> NumbersSummary:  # noqa: ARG001 - a stage
    """Do nothing, as `spa tag` does as far as the workspace is concerned."""
    return NumbersSummary(pieces=0)


def numbers_stage(name: str, *outputs: str) -> Numbers:
    return Numbers(
        name,
        "Write numbers.",
        NumbersSettings,
        NumbersSummary,
        lambda _: (),
        lambda _: tuple(Artifact(output, name) for output in outputs),
        "none:none",
        resumes_from="parts" if outputs else None,
    )


NUMBERS, OTHER = numbers_stage("numbers", "all.txt", "numbers"), numbers_stage("other")


def snapshot(folder: Path) -> dict[str, str]:
    """Every file below `folder`, hidden ones too, and every empty folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[str(path.relative_to(folder))] = path.read_text()
        elif not any(path.iterdir()):
            found[str(path.relative_to(folder))] = "(empty)"
    return found


def visible(workspace: Path) -> dict[str, str]:
    """The artifacts alone."""
    found = snapshot(workspace / "numbers")
    if (workspace / "all.txt").exists():
        found["all.txt"] = (workspace / "all.txt").read_text()
    return found


def other_command(workspace: Path) -> None:
    """Run another stage, and take its record away again."""
    run_stage(OTHER, NumbersSettings(), workspace, QuietReporter())
    (workspace / "lineage" / "other.json").unlink()


def attempt(workspace: Path, before: Callable[[], None] | None = None, **values: Any) -> str:
    """Run the stage here; what came of it in words."""
    try:
        if before:
            before()
        outcome = run_stage(NUMBERS, NumbersSettings(**values), workspace, QuietReporter())
    except SpaError as error:
        kept = f" | {WORK_KEPT}" if WORK_KEPT in getattr(error, "__notes__", ()) else ""
        return f"{type(error).__name__}: {error.message} | {error.next_step}{kept}"
    except (KeyboardInterrupt, MemoryError) as error:
        return " | ".join([type(error).__name__, *getattr(error, "__notes__", ())])
    return "unchanged" if outcome.unchanged else "done"


def forked(work: Callable[[], str]) -> tuple[int, Path]:
    """Run `work` in a fork of this process, which writes its answer into a file."""
    answer = Path(sys.argv[2]) / f"answer-{time.monotonic_ns()}"
    pid = os.fork()
    if pid == 0:
        try:
            answer.write_text(work())
        finally:
            os._exit(0)
    return pid, answer


def ended(pid: int, answer: Path) -> str:
    """Wait for a fork; its answer, or how it died."""
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    text = answer.read_text()
    answer.unlink()
    return text


def random_kills(folder: Path) -> object:
    """Kill runs, each some pieces further, at random moments until one gets to its end; and again."""
    chance, rounds = random.Random(0), []  # noqa: S311 - moments, not secrets
    for number in range(12):
        workspace, log = folder / f"W{number}", folder / f"log{number}"
        attempts = []
        while not attempts or attempts[-1]["end"] not in {"done", "unchanged"}:
            parts = workspace / ".staging-numbers" / "parts"
            finished = [path.name for path in parts.glob("[0-9]*")]
            log.write_text("")
            pid, answer = forked(lambda w=workspace, g=log: attempt(w, pause_seconds=0.004, log=g))
            pieces = chance.randrange(4)
            while len(log.read_text().split()) < pieces and not answer.exists():
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.01))
            os.kill(pid, signal.SIGKILL)
            end = ended(pid, answer)
            attempts.append({"finished": finished, "begun": log.read_text().split(), "end": end})
        attempt(workspace)  # the last kill may have come before all was cleaned up
        rounds.append({"attempts": attempts, "left": snapshot(workspace)})
    return rounds


JOURNAL = ".journal.json"
_CALLS = ("rename", "replace", "unlink", "mkdir", "rmdir", "open", "fsync")


def die_at_call(number: int) -> Callable[[], None]:
    """Make this process kill itself just before its `number`-th call that changes the disk."""

    def arm() -> None:
        left = number

        def counted(call: Callable[..., Any]) -> Callable[..., Any]:
            def wrapper(*given: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*given, **named)

            return wrapper

        for name in _CALLS:
            setattr(os, name, counted(getattr(os, name)))

    return arm


def every_call(folder: Path) -> object:
    """Kill a run that replaces an older one at each of its calls; what each next command finds."""
    found, end = [], ""
    while end != "done":
        number = len(found) + 1
        workspace, log = folder / f"W{number}", folder / f"log{number}"
        log.touch()
        attempt(workspace, word="old", pieces=3)
        arm = die_at_call(number)
        end = ended(*forked(lambda w=workspace, a=arm: attempt(w, a, pieces=3)))
        state = {"end": end, "written": (workspace / ".staging-numbers" / JOURNAL).exists()}
        state["at_once"] = visible(workspace)
        state["recorded"] = (workspace / "lineage" / "numbers.json").exists()
        other_command(workspace)
        state["then"] = visible(workspace)
        parts = workspace / ".staging-numbers" / "parts"
        state["finished"] = [path.name for path in parts.glob("[0-9]*")]
        state["again"] = attempt(workspace, pieces=3, log=log)
        found.append({**state, "begun": log.read_text().split(), "left": snapshot(workspace)})
    return found


def every_call_of_another(folder: Path) -> object:
    """Stop a run after a piece; kill one with other settings at each of its calls; go on with the first."""
    found, end = [], ""
    while end != "done":
        workspace, logs = folder / f"W{len(found)}", [folder / name for name in ("other", "again")]
        for log in logs:
            log.write_text("")
        attempt(workspace, pieces=3, stop_at=1)
        arm = die_at_call(len(found) + 1)
        other = {"word": "other", "pieces": 3, "log": logs[0]}
        end = ended(*forked(lambda w=workspace, a=arm, o=other: attempt(w, a, **o)))
        if len(found) % 2:
            other_command(workspace)
        again = attempt(workspace, pieces=3, log=logs[1])
        begun = [log.read_text().split() for log in logs]
        found.append({"end": end, "again": again, "begun": begun, "left": snapshot(workspace)})
    return found


def every_call_of_the_next(folder: Path) -> object:
    """Kill a run that has just written its journal; kill the next command at each of its calls."""
    found, end = [], ""
    ready = folder / "ready"
    attempt(ready, word="old", pieces=3)
    ended(*forked(lambda: attempt(ready, die_when_written, pieces=3)))
    while end != "done":
        workspace = folder / f"W{len(found)}"
        shutil.copytree(ready, workspace, copy_function=shutil.copy2)
        arm = die_at_call(len(found) + 1)
        end = ended(*forked(lambda w=workspace, a=arm: (a(), other_command(w), "done")[-1]))
        other_command(workspace)
        found.append(
            {"end": end, "again": attempt(workspace, pieces=3), "left": snapshot(workspace)}
        )
    return found


def die_when_written() -> None:
    replace = os.replace

    def killing(source: Any, target: Any) -> None:
        replace(source, target)
        if Path(target).name == JOURNAL:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = killing  # type: ignore[assignment]  # of its keyword arguments none is used


def two_at_once(folder: Path) -> object:
    """One run waits in the middle while others come; then it is killed, and the others come again."""
    workspace = folder / "W"
    first, answer = forked(lambda: attempt(workspace, stop_at=2, stop_with="wait"))
    while not (workspace / ".staging-numbers" / "parts" / "1").exists():
        time.sleep(0.002)
    refused = ended(*forked(lambda: attempt(workspace)))
    other_command(workspace)
    still = (workspace / ".staging-numbers" / "parts" / "1").exists()
    os.kill(first, signal.SIGKILL)
    killed = ended(first, answer)
    again = ended(*forked(lambda: attempt(workspace)))
    return {
        "pid": first,
        "refused": refused,
        "still": still,
        "killed": killed,
        "again": again,
        "left": snapshot(workspace),
    }


def too_large(folder: Path, writer: str) -> object:
    """Run out of space after two pieces, by `writer`; look; and go on with space."""
    workspace = folder / "W"
    attempt(workspace, word="old")
    before = visible(workspace)

    def limit() -> None:
        if writer != "device":
            WRITERS[writer](folder / "large")  # what the library loads is loaded
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    end = ended(*forked(lambda: attempt(workspace, limit, stop_at=2, stop_with=writer)))
    same = visible(workspace) == before
    with contextlib.suppress(FileNotFoundError):
        (workspace / ".staging-numbers" / "numbers" / "large").unlink()
    log = folder / "log"
    again = attempt(workspace, log=log)
    return {"end": end, "same": same, "again": again, "begun": log.read_text().split()}


JOBS: dict[str, Callable[..., object]] = {
    "random-kills": random_kills,
    "every-call": every_call,
    "every-call-of-another": every_call_of_another,
    "every-call-of-the-next": every_call_of_the_next,
    "two-at-once": two_at_once,
    "too-large": too_large,
    "run": lambda folder, values: attempt(folder / "W", **json.loads(values)),
}

if __name__ == "__main__":
    print(json.dumps(JOBS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])))  # noqa: T201 - a program
