"""Prepare a data set on a disk that is too small, again and again larger, until it fits.

    python benchmarks/full_disk.py SOURCE [options of `spa prepare`]

The disk is a tmpfs in a mount namespace of this script's own: Linux with `unshare` and `mount`. Each
run that does not fit must end with exit code 1 and words, leave an older workspace's artifacts as they
were, and lose nothing that it had finished; the last must give the bytes of a run on a large disk. The
baseline is that run: the script prints how much more time all the runs took together.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHARES = (0.1, 0.3, 0.6, 0.9, 1.1, 1.3, 2.5)
_INSIDE = "SPA_FULL_DISK_NAMESPACE"


def artifacts(workspace: Path) -> dict[str, bytes]:
    """Every file of the workspace that is not hidden."""
    files = (path for path in sorted(workspace.rglob("*")) if path.is_file())
    found = {str(path.relative_to(workspace)): path for path in files}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".")}


def prepare(arguments: list[str], workspace: Path) -> tuple[int, str, float]:
    """Exit code, stderr's last lines, seconds."""
    command = [sys.executable, "-c", "from spa_cli.main import main; main()", "prepare", *arguments]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "--workspace", str(workspace)], capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    return done.returncode, "\n".join(done.stderr.splitlines()[-2:]), seconds


def call(*command: str | Path) -> None:
    """Run a program of the system."""
    subprocess.run(command, check=True)


def main() -> None:
    """Run it all; an assertion that fails is a fault of the toolkit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        code, errors, baseline = prepare(sys.argv[1:], folder / "large" / "W")
        assert code == 0, errors
        expected = artifacts(folder / "large" / "W")
        size = sum(map(len, expected.values()))
        disk = folder / "small"
        disk.mkdir()
        call("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk)
        try:
            total = grow(disk, size, expected)
        finally:
            call("umount", disk)
    print(f"the same bytes; {total / baseline:.2f} times the time of one run on a large disk")


def grow(disk: Path, size: int, expected: dict[str, bytes]) -> float:
    """Run on the disk in each of its sizes; the seconds of all runs."""
    total, fitted = 0.0, False
    for share in SHARES:
        call("mount", "-o", f"remount,size={int(share * size)}", disk)
        code, errors, seconds = prepare(sys.argv[1:], disk / "W")
        total += seconds
        print(
            f"{share:.0%} of the space that it needs: exit code {code}, {seconds:.1f} s\n{errors}"
        )
        if code == 0:
            fitted = True
            break
        assert code == 1
        assert "no space is left on the disk" in errors
        assert artifacts(disk / "W") == {}
    assert fitted
    assert artifacts(disk / "W") == expected
    hidden = [path.name for path in (disk / "W").iterdir() if path.name.startswith(".")]
    assert hidden == [], hidden
    return total


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="All arguments go to `spa prepare`."
    ).parse_known_args()
    if _INSIDE in os.environ:
        main()
    else:
        command = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, *sys.argv]
        sys.exit(subprocess.run(command, env={**os.environ, _INSIDE: "1"}, check=False).returncode)
