"""What the HTTP service of an instance says of itself and of its cluster, and how long it is given to do so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import cache
from typing import TYPE_CHECKING

import httpx

from cluster.instance import processes
from cluster.instance.problem import InstanceProblem
from cluster.instance.state import InstanceState

if TYPE_CHECKING:
    from cluster.instance.report import ClusterReport

# A busy machine is slow to answer, and what runs is not to be started anew for that; what is dead refuses at once.
READY_PATIENCE_SECONDS = 15.0
REPORT_PATIENCE_SECONDS = 60.0
READY = "ready"


@cache
def _caller() -> httpx.Client:
    """One for all calls, for each client reads the certificates of the system first; it keeps no connection open."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(timeout=READY_PATIENCE_SECONDS, trust_env=False, limits=limits)


def health(base_url: str) -> dict[str, str]:
    try:
        body = _caller().get(f"{base_url}/ready").json()
        return {"http": str(body["status"]), **body["states"]}
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return {"http": "no answer"}


def told_by_service(state: InstanceState) -> ClusterReport | None:
    """What the service says of the cluster; None where it does not answer, or not to this key."""
    headers = {"X-API-Key": state.api_key} if state.api_key else {}
    url = f"{state.base_url}/api/v1/system"
    try:
        answer = _caller().get(url, headers=headers)
        report: ClusterReport | None = answer.json() if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError):
        return None
    return report


def told_by_ray(state: InstanceState, namespace: str) -> ClusterReport:
    """The same where the service does not answer; in a process of its own, for Ray reads its token at import.

    Raises:
        InstanceProblem: Ray does not answer either.
    """
    command = [sys.executable, "-m", "cluster.instance.report", state.ray_address, namespace]
    try:
        answer = subprocess.run(  # noqa: S603  (the command is ours)
            command,
            env={**os.environ, **state.environment},
            capture_output=True,
            timeout=REPORT_PATIENCE_SECONDS,
            check=True,
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise InstanceProblem(
            "Ray does not answer. `optionchain up` starts anew what has failed, `optionchain down` ends what is "
            "left; `optionchain logs` may tell why."
        ) from error
    report: ClusterReport = json.loads(answer.stdout.splitlines()[-1])
    return report


def becomes_ready(state: InstanceState, *, patient: bool) -> bool:
    """Whether the service says that it is; where a server of its has just come back, once it has noticed."""
    deadline = time.monotonic() + (READY_PATIENCE_SECONDS if patient else 0.0)
    while health(state.base_url)["http"] != READY:
        if time.monotonic() > deadline:
            return False
        time.sleep(processes.POLL_SECONDS)
    return True
