"""What all tests share: one event loop, reproducible properties, and an environment without our variables."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, settings

if TYPE_CHECKING:
    from tests.clusters import Cluster

# The machine is shared, so a slow example says nothing; the same examples every time, so a red test stays red.
settings.register_profile(
    "reproducible",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
    # Without `explain`: against a server, its many more runs say little for the minutes that they take.
    phases=[Phase.explicit, Phase.generate, Phase.target, Phase.shrink],
)
settings.load_profile("reproducible")


# Of several stores at a time, each with a journal of 300 MB.
LEAST_FREE_GIB = 8.0

# The one variable that is for the tests; our settings would refuse it.
GIVEN_MONGODB = pytest.StashKey[str | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the tests marked as long too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--long"):
        skipped = pytest.mark.skip(reason="long: make test-all runs it")
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(skipped)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[GIVEN_MONGODB] = os.environ.get("OCS_TEST_MONGODB_URI")
    for name in [name for name in os.environ if name.upper().startswith("OCS_")]:
        del os.environ[name]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what may be why tests failed that have nothing to do with it: stores on a full disk refuse writes."""
    free = shutil.disk_usage(tempfile.gettempdir()).free / 2**30
    if free < LEAST_FREE_GIB:
        terminalreporter.write_line(
            f"Only {free:.1f} GiB are free in {tempfile.gettempdir()}, where tests write."
        )


@pytest.fixture(scope="session")
def given_mongodb_uri(pytestconfig: pytest.Config) -> str | None:
    """The MongoDB to test on (OCS_TEST_MONGODB_URI, a replica set), instead of one of our own."""
    return pytestconfig.stash[GIVEN_MONGODB]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def golden() -> dict[str, dict[str, Any]]:
    """The numbers of the reference implementations by name; tests/golden/README.md says whose they are."""
    vectors = json.loads((Path(__file__).parent / "golden" / "reference-vectors.json").read_text("utf-8"))
    return {vector["name"]: vector for vector in vectors}


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One cluster for all tests that only talk to it, started as `optionchain up` starts it."""
    # Only here: whoever examines a deployment with the conformance kit needs nothing of ours.
    from tests.clusters import OTHER_KEYS, Cluster

    with tempfile.TemporaryDirectory(prefix="optionchain-e2e-") as folder:
        cluster = Cluster(
            Path(folder),
            # Every test calls from one address, and some try wrong keys by the hundred.
            auth={"keys": OTHER_KEYS, "longest_pause_seconds": 0},
            ray={"dashboard": True},  # it takes jobs
            task={"places": f"{folder}/tasks"},
            backup={
                "to": f"{folder}/standing",
                "every_seconds": 3600,
                "verify_every_seconds": 604_800,
                "tasks_of": "first",
            },
        )
        with cluster.running():
            yield cluster
