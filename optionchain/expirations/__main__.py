"""Computes calendars of exchanges apart, and keeps them: ``python -m optionchain.expirations XNYS XLON``.

For an image or a machine ahead of time; of one calendar with ``--encoded`` for a service that waits for it. At a time,
one process of a user computes, at a low priority: a machine that serves has two cores or three to spare at best.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from optionchain.errors import InvalidInput
from optionchain.expirations import exchanges
from optionchain.kept import private_places

REFUSED = 2
"""Exit code where there is no such calendar; the reason is on standard error."""
NICENESS = 5


def main(arguments: list[str]) -> int:
    """Compute what is not kept yet; returns the exit code."""
    *options, last = arguments
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    with _alone():
        try:
            if options == ["--encoded"]:
                sys.stdout.buffer.write(exchanges.encoded(exchanges.exchange_calendar(last)))
                return 0
            for name in arguments:
                calendar = exchanges.exchange_calendar(name)
                print(
                    f"{name}: {len(calendar.sessions)} sessions, of exchange_calendars {exchanges.release()}"
                )
        except InvalidInput as error:
            print(error.reason, file=sys.stderr)
            return REFUSED
    return 0


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other process of this user computes; on systems without such locks, do not."""
    folder = next(private_places("calendars"), None)
    if folder is None or os.name != "posix":
        yield
        return
    import fcntl  # noqa: PLC0415  of POSIX alone

    with open(folder / "lock", "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
