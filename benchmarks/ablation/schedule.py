"""Trainings side by side, each in a process of its own with one thread of computation."""

import atexit
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process

from ablation.job import Job, run_job
from ablation.results import Row
from stages.errors import SpaError

# Read by the libraries when they are loaded, so before a process starts.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def run_jobs(
    jobs: Sequence[Job], processes: int, finished: Callable[[Job, Row], None]
) -> list[tuple[Job, SpaError]]:
    """Run all jobs, in their order, as many at once as there are processes.

    `finished` is called here, in this process, for each as it ends. A job that fails does not keep
    the others from running.

    Returns:
        The jobs that failed, and why.

    Raises:
        SpaError: a process died.
    """
    os.environ.update(_ONE_THREAD)
    failed: list[tuple[Job, SpaError]] = []
    with ProcessPoolExecutor(processes, get_context("spawn"), _begin) as pool:
        futures = {pool.submit(run_job, job): job for job in jobs}
        try:
            for future in as_completed(futures):
                job = futures[future]
                try:
                    finished(job, future.result())
                except BrokenProcessPool as error:
                    raise SpaError(
                        "a process that trained has died: what was finished is kept",
                        "run it again, with fewer --jobs if memory has run out",
                    ) from error
                except SpaError as error:
                    failed.append((job, error))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return failed


def _begin() -> None:
    """Start a process: one thread, and an end as soon as the parent has ended."""
    import torch

    torch.set_num_threads(1)
    # Ends here, before Python takes itself apart: DuckDB's bindings then print what they still hold.
    atexit.register(os._exit, 0)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Nobody waits for what an orphan trains, and the next call would find its folder locked."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
