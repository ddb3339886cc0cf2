"""What runs in the foreground, as containers and systemd want it: it ends with the command that started it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from cluster.interruption import Interrupted

LOOK_SECONDS = 1.0


def stay(is_kept: Callable[[], bool], end: Callable[[], object]) -> None:
    """Wait until we are told to end, or somebody else has ended what runs; then end what is left of it.

    Args:
        is_kept: Whether nobody has.
        end: Ends it.
    """
    with suppress(Interrupted):
        while is_kept():
            time.sleep(LOOK_SECONDS)
    end()
