"""The entry point: whatever happens, a person sees a line or two, and never a traceback."""

import _thread
import os
import signal
import sys
import threading
import warnings

_SOON_SECONDS = 0.05


def _interrupt_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """Python drops, with a traceback, a Ctrl-C that arrives in a callback of its own: repeat it."""
    if isinstance(unraisable.exc_value, KeyboardInterrupt):
        threading.Timer(_SOON_SECONDS, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(unraisable)


def main() -> None:
    """Run the command line. SPA_DEBUG=1 shows the traceback of an unexpected error."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # the libraries' own; what a user should know is an error
    sys.unraisablehook = _interrupt_again
    # On a busy machine threads that spin while they wait take the cores from those that work: training
    # is then three times slower. On an idle one there is no difference.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from spa_cli.app import build_app  # here, so that Ctrl-C during the import is caught too
        from spa_cli.following import mute_followers

        mute_followers()
        build_app()()
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted: the workspace is as it was before this command\n")
        sys.exit(1)
    except OSError as error:
        if os.environ.get("SPA_DEBUG"):
            raise
        where = f"{error.filename}: " if error.filename else "the output cannot be written: "
        sys.stderr.write(f"error: {where}{error.strerror or error}\n")
        sys.exit(1)
    except Exception as error:
        if os.environ.get("SPA_DEBUG"):
            raise
        sys.stderr.write(
            f"error: unexpected {type(error).__name__}: {' '.join(str(error).split())}\n"
        )
        sys.stderr.write("  next: this is a bug: set SPA_DEBUG=1 for the details and report them\n")
        sys.exit(1)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said: end in peace
