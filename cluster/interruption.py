"""Ctrl-C and SIGTERM as an exception, wherever the command line is; and what waits in the foreground for one."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

LOOK_SECONDS = 1.0


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM. Not a KeyboardInterrupt, of which Typer makes an exit without a word."""


def stay(is_kept: Callable[[], bool], end: Callable[[], object]) -> None:
    """Wait until we are told to end, or somebody else has ended what runs; then end what is left of it.

    So containers and systemd want it: what runs ends with the command that started it.

    Args:
        is_kept: Whether nobody has.
        end: Ends it.
    """
    with suppress(Interrupted):
        while is_kept():
            time.sleep(LOOK_SECONDS)
    end()
