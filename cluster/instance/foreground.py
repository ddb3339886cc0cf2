"""An instance in the foreground, as containers and systemd want it: it ends with the command that started it."""

from __future__ import annotations

import time
from contextlib import suppress

from cluster.instance.instance import Instance
from cluster.instance.progress import Progress
from cluster.interruption import Interrupted

LOOK_SECONDS = 1.0


def stay(instance: Instance, progress: Progress) -> None:
    """Wait until we are told to end, or somebody else has ended the instance; then end what is left of it.

    Args:
        instance: It runs.
        progress: Told of the end.
    """
    with suppress(Interrupted):
        while instance.is_kept():
            time.sleep(LOOK_SECONDS)
    instance.down(progress)
