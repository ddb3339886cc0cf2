"""An instance that may be broken: two replicas, private servers, every acknowledged step on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.instance.instance import Instance, processes
from cluster.instance.progress import Progress
from proving.chaos.cli import chaos_settings
from tests.chaos.breakable import MAX_WAITING, Running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.chaos)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="optionchain-chaos-") as folder:
        settings = chaos_settings(Path(folder))
        # Patience for a busy machine, on which the start of a process may take long.
        patient = {"timeout_seconds": 20.0, "delivery_timeout_seconds": 10.0, "max_waiting": MAX_WAITING}
        settings = settings.with_changes({"session": patient})
        instance = Instance(settings)
        state = instance.up(Progress())
        try:
            yield Running(instance, settings, state)
        finally:
            instance.down(Progress())
        assert [process.name() for process in processes.marked(str(Path(folder).resolve()))] == []
