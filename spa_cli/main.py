"""The entry point: whatever happens, a person sees a line or two, and never a traceback."""

import os
import signal
import sys
import warnings

from spa_cli.interrupts import comes_of_interrupt, interrupt, interrupt_again

# How often a thread of torch's on a CPU looks whether there is work before it sleeps (libgomp's setting).
# As long as libgomp does by itself, 30 times that, and on a busy machine threads that only look take the
# cores from those that work: a step of `small` on two cores beside two busy processes took 340 ms, with
# this 140. Without looking at all it takes 62 ms on an idle machine, with this 51.
_SPINS = "10000"
_INTERRUPTED_IN_TYPER = 130  # the exit code that it gives to a Ctrl-C before a command begins


def _interrupt_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """Python drops, with a traceback, a Ctrl-C that arrives in a callback of its own: repeat it."""
    if isinstance(unraisable.exc_value, KeyboardInterrupt):
        interrupt_again()
    else:
        sys.__unraisablehook__(unraisable)


def _in_words(error: BaseException) -> str:
    if comes_of_interrupt(error):
        return "error: interrupted: the workspace is as it was before this command\n"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else "the output cannot be written: "
        return f"error: {where}{error.strerror or error}\n"
    return (
        f"error: unexpected {type(error).__name__}: {' '.join(str(error).split())}\n"
        "  next: this is a bug: set SPA_DEBUG=1 for the details and report them\n"
    )


def main() -> None:
    """Run the command line. SPA_DEBUG=1 shows the traceback of an unexpected error."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # the libraries' own; what a user should know is an error
    sys.unraisablehook = _interrupt_again
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is to be ignored
        signal.signal(signal.SIGINT, interrupt)
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
    try:
        from spa_cli.app import build_app  # here, so that Ctrl-C during the import is caught too
        from spa_cli.following import mute_followers

        mute_followers()
        build_app()()
    except (KeyboardInterrupt, Exception, SystemExit) as error:
        if isinstance(error, SystemExit) and error.code != _INTERRUPTED_IN_TYPER:
            raise
        if os.environ.get("SPA_DEBUG") and not comes_of_interrupt(error):
            raise
        sys.stderr.write(_in_words(error))
        sys.exit(1)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said: end in peace
