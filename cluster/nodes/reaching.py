"""How commands of this machine reach a cluster: which one, by which token, and what it is asked or told."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from cluster.instance.node_variables import EVERY_NODE, node_variables
from cluster.instance.problem import InstanceProblem
from cluster.nodes.cluster_facts import ClusterFacts
from cluster.settings import Settings

REACH_SECONDS = 5.0
ANSWER_SECONDS = 5
# A node waits long for a head that may come back; who only asks does not.
IMPATIENCE = {
    "RAY_gcs_rpc_server_connect_timeout_s": str(ANSWER_SECONDS),
    "RAY_gcs_server_request_timeout_seconds": str(ANSWER_SECONDS),
    "RAY_gcs_rpc_server_reconnect_timeout_s": str(ANSWER_SECONDS),
}
# Beside an answer, for the process that asks to import Ray on a busy machine.
START_SECONDS = 60.0
# What Ray says of a token that the head does not know.
REFUSALS = ("nauthenticated", "uthentication", "nvalid or missing")
SILENCE = "Failed to connect to GCS"


@dataclass(frozen=True, slots=True)
class Cluster:
    """How commands of this machine reach a cluster.

    Attributes:
        address: Of its head, or `auto` for that of the node which this process is on.
        environment: The variables for it.
    """

    address: str
    environment: dict[str, str]


THIS = Cluster("auto", {})


def cluster_at(address: str, settings: Settings) -> Cluster:
    """The cluster whose head is there, by the token of the settings.

    Raises:
        InstanceProblem: There is no token, or nobody listens there.
    """
    if settings.ray.token is None:
        raise InstanceProblem(
            "OCS_RAY_TOKEN, or OCS_RAY_TOKEN_FILE, must have the token of the cluster: `ray_token` in the data "
            "folder of its head."
        )
    _reach(address)
    token = settings.ray.token.get_secret_value()
    return Cluster(address, node_variables(EVERY_NODE) | {"RAY_AUTH_TOKEN": token})


def with_token_of(settings: Settings, file: Path | None) -> Settings:
    """The settings with the token in a file, where one is named."""
    if file is None:
        return settings
    try:
        token = SecretStr(file.read_text().strip())
    except OSError as error:
        raise InstanceProblem(f"{file} cannot be read: {error.strerror}") from error
    return settings.with_changes({"ray": {"token": token}})


def asked(cluster: Cluster) -> ClusterFacts:
    """What its head says of it.

    Raises:
        InstanceProblem: It does not answer, or not to this token.
    """
    words = ["cluster.nodes.told", cluster.address, str(ANSWER_SECONDS)]
    impatient = Cluster(cluster.address, cluster.environment | IMPATIENCE)
    found: ClusterFacts = json.loads(_answer(impatient, words, START_SECONDS))
    return found


def moved(what: str, cluster: Cluster, settings: Settings, *, seconds: float) -> str:
    """Have `cluster.nodes.moves` do something, and return what it says could not be done.

    Raises:
        InstanceProblem: The cluster does not answer.
    """
    words = ["cluster.nodes.moves", what, cluster.address, settings.ray.namespace, str(seconds)]
    said: str = json.loads(_answer(cluster, words, 2 * seconds + START_SECONDS))
    return said


def disagreement(facts: ClusterFacts) -> str:
    """What the head has of another version than this machine, and what to do; empty where they agree."""
    others = [
        f"{what} {version}, this machine {facts['ours'][what]}"
        for what, version in facts["versions"].items()
        if version != facts["ours"][what]
    ]
    return f"The head has {'; '.join(others)}: install the same on every node." if others else ""


def _answer(cluster: Cluster, words: list[str], seconds: float) -> str:
    """The last line that a module of ours prints which is told these words."""
    try:
        done = subprocess.run(  # noqa: S603  (the command is ours)
            [sys.executable, "-m", *words],
            env={**os.environ, **cluster.environment},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        if any(sign in error.stderr for sign in REFUSALS):
            raise InstanceProblem(
                f"The cluster at {cluster.address} has another token: OCS_RAY_TOKEN must be what `ray_token` in the "
                "data folder of its head has."
            ) from error
        if SILENCE in error.stderr:
            raise InstanceProblem(
                f"Who listens at {cluster.address} does not answer as a head does. A head listens at OCS_RAY_PORT, "
                "6380 by default; `optionchain status` on its machine says whether it runs."
            ) from error
        told = "\n".join(error.stderr.strip().splitlines()[-2:])
        raise InstanceProblem(f"The cluster at {cluster.address} does not answer:\n{told}") from error
    except subprocess.TimeoutExpired as error:
        raise InstanceProblem(f"The cluster at {cluster.address} gives no answer.") from error
    return done.stdout.splitlines()[-1]


def _reach(head: str) -> None:
    host, _, port = head.rpartition(":")
    if not host or not port.isdigit():
        raise InstanceProblem(f"{head}: the head is an address and a port, such as 10.0.0.1:6380.")
    try:
        socket.create_connection((host, int(port)), REACH_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise InstanceProblem(
            f"Nobody answers at {head} ({error}). `optionchain up --listen {host}` starts a head there; a firewall "
            "must let this machine through."
        ) from error
