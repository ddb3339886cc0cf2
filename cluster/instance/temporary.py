"""An instance for one command: a benchmark or a test of endurance, which leaves nothing behind."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from cluster.commands.console import StepProgress
from cluster.instance.instance import Instance
from cluster.instance.ports import free_ports
from cluster.instance.state import InstanceState
from cluster.settings import Settings, load_settings


@contextmanager
def temporary_instance(
    console: Console, settings_in: Callable[[Path], Settings] | None = None
) -> Iterator[tuple[Settings, InstanceState]]:
    """Start an instance whose servers are its own, for as long as the block lasts.

    Args:
        console: Where to show what is being waited for.
        settings_in: Makes its settings, for a folder; by default `private_settings`.

    Raises:
        InstanceProblem: It does not start.
    """
    with tempfile.TemporaryDirectory(prefix="optionchain-") as folder:
        settings = (settings_in or private_settings)(Path(folder))
        instance = Instance(settings)
        with StepProgress(console) as progress:
            state = instance.up(progress)
        try:
            yield settings, state
        finally:
            with StepProgress(console) as progress:
                instance.down(progress)


def private_settings(folder: Path) -> Settings:
    """The settings of the environment, with private servers in a folder and a free port on loopback."""
    (port,) = free_ports(1)
    return load_settings().with_changes(
        {
            "data": {"folder": folder},
            "http": {"port": port, "host": "127.0.0.1"},
            "redis": {"url": None, "mode": "standalone"},
            "mongo": {"uri": None},
        }
    )
