"""Clusters of several machines on a real MongoDB, where they can be made, and what is told of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from proving.chaos.checker import Verdict
from proving.chaos.history import Attempt, Unanswered
from proving.drills.drills import DRILLS
from proving.machines import nodes as several_nodes
from proving.machines.hosts import obstacle
from proving.machines.nodes import Machines
from tests.chaos.stores import start_stores

OUTAGE_SECONDS = DRILLS["lost-node"].goal.seconds


@contextmanager
def cluster_of(
    *workers: str, nodes: int, spare: Sequence[str] = (), head_manages: bool = False
) -> Iterator[Machines]:
    """As `proving.machines.nodes.cluster_of`; skips the test where no machines can be made."""
    if problem := obstacle():
        pytest.skip(problem)
    with several_nodes.cluster_of(
        *workers, nodes=nodes, spare=spare, head_manages=head_manages, start_stores=start_stores
    ) as machines:
        yield machines
        print(*machines.refusals.items(), sep="\n")


def told(what: str, verdict: Verdict, attempts: list[Attempt]) -> list[Attempt]:
    """Say what came of it; returns the attempts without an answer."""
    failures = [each for each in attempts if isinstance(each.outcome, Unanswered)]
    kinds = Counter(each.outcome.status for each in failures if isinstance(each.outcome, Unanswered))
    print(
        f"{what}: {verdict.acknowledged} steps, {len(failures)} unanswered {dict(kinds)}, outage of all "
        f"{verdict.longest_outage_seconds:.1f} s, of one session {verdict.longest_wait_seconds:.1f} s"
    )
    return failures
