"""What is lost is brought back within the goals: the drills themselves, each on an instance of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proving.drills.cli import run_drill
from proving.drills.drills import DRILLS
from proving.machines.hosts import obstacle
from tests.integration.history.mongo_servers import mongod
from tests.servers import needs_redis

# An instance is started, twice in one of them, which a busy machine may take two minutes for.
pytestmark = pytest.mark.timeout(400)
IN_EVERY_RUN = {"deleted-sessions", "leaked-key", "lost-redis-primary"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in IN_EVERY_RUN else pytest.mark.long) for name in DRILLS]
)
def test_the_goal_of_a_drill_is_reached(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "full-disk" and os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    if name == "lost-node" and (problem := obstacle()):
        pytest.skip(problem)
    if name == "lost-redis-primary":
        needs_redis()
    if name in ("site-loss", "lost-mongodb-primary"):
        monkeypatch.setenv("PATH", f"{Path(mongod()).parent}{os.pathsep}{os.environ['PATH']}")
    told: list[str] = []

    outcome = run_drill(name, told.append)

    assert outcome.violations == 0, [verdict.violations[:5] for verdict in outcome.verdicts]
    assert sum(verdict.acknowledged for verdict in outcome.verdicts) > 50
    assert outcome.is_reached, (outcome.seconds, told)
