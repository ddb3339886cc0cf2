"""The entry point: it takes care of Ctrl-C first, and only then imports the commands, which takes a second."""

from __future__ import annotations

import signal
import sys

from cluster.backup.priority import give_way
from cluster.interruption import Interrupted

GIVES_WAY = {"backup", "create"}


def main() -> None:
    """Run the command line; our errors become one message and an exit code."""
    for interruption in (signal.SIGINT, signal.SIGTERM):
        signal.signal(interruption, _interrupt)
    if set(sys.argv) >= GIVES_WAY:
        give_way()  # before the imports, which take as long as a small backup
    try:
        from cluster.commands.app import run  # noqa: PLC0415

        sys.exit(run())
    except Interrupted:
        print(
            "Interrupted: what this command had started was stopped again. `optionchain status` shows what runs, "
            "`optionchain down` stops it.",
            file=sys.stderr,
        )
        sys.exit(130)


def _interrupt(*_: object) -> None:
    for interruption in (signal.SIGINT, signal.SIGTERM):
        # Stopping what had been started is not to be interrupted again.
        signal.signal(interruption, signal.SIG_IGN)
    raise Interrupted


if __name__ == "__main__":
    main()
