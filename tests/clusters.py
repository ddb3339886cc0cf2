"""Clusters for tests: an `Instance` of a folder and a port of its own, and proof that nothing of it is left."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from cluster.instance import processes
from cluster.instance.instance import Instance
from cluster.instance.parts import SUPERVISOR
from cluster.instance.ports import accepts, free_ports
from cluster.instance.progress import Progress
from cluster.instance.ray_node import ray_temporary_folder
from cluster.instance.state import InstanceState
from cluster.settings import Settings

OTHER_KEYS = "first:admin=first-key-0123456789,second=second-key-0123456789"

PARAMETERS: dict[str, Any] = {
    "symbol": "SPX",
    "steps": 30,
    "initial_price": 5000.0,
    "days_to_expiration": 30.0,
    "volatility": 0.2,
    "risk_free_rate": 0.04,
    "dividend_yield": 0.015,
    "method": {"GeometricBrownian": {"dt": 0.004, "drift": 0.05, "volatility": 0.2}},
    "time_frame": "Day",
    "chain_size": 5,
    "seed": 42,
}


class Cluster:
    """An instance under test.

    Args:
        folder: Its data folder.
        groups: Settings by group; the port is always a free one.
    """

    def __init__(self, folder: Path, **groups: dict[str, Any]) -> None:
        (self.port,) = free_ports(1)
        self.folder = folder
        self._groups = {**groups, "http": {"port": self.port} | groups.get("http", {})}
        self._groups["data"] = {"folder": folder} | groups.get("data", {})
        self.instance = Instance(Settings(**self._groups))

    @property
    def state(self) -> InstanceState:
        state = self.instance.state()
        assert state is not None, "the instance does not run"
        return state

    @contextmanager
    def running(self) -> Iterator[None]:
        self.instance.up(Progress())
        try:
            yield
        finally:
            self.instance.down(Progress())
            self.check_nothing_is_left()
            # An instance keeps Ray's logs until it is started again.
            shutil.rmtree(ray_temporary_folder(self.folder).parent, ignore_errors=True)

    def client(self, key: str | None = None) -> httpx.Client:
        return httpx.Client(
            base_url=self.state.base_url,
            headers={"X-API-Key": key or self.state.api_key or ""},
            timeout=30.0,
            trust_env=False,
        )

    def async_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.state.base_url,
            headers={"X-API-Key": self.state.api_key or ""},
            timeout=30.0,
            trust_env=False,
        )

    def processes(self) -> list[psutil.Process]:
        return processes.marked(str(self.folder.resolve()))

    def named(self, *names: str) -> list[psutil.Process]:
        """The processes of these names; one that ends meanwhile has none."""
        found = []
        for process in self.processes():
            with suppress(psutil.Error):
                if process.name() in names:
                    found.append(process)
        return found

    @contextmanager
    def unsupervised(self) -> Iterator[None]:
        """Nobody starts again what dies, for as long as the block lasts."""
        [supervisor] = processes.with_argument(str(self.folder.resolve()), SUPERVISOR)
        supervisor.suspend()
        try:
            yield
        finally:
            supervisor.resume()

    def session_actors(self) -> list[psutil.Process]:
        return [process for process in self.processes() if is_session_actor(process)]

    def shared_actors(self) -> list[psutil.Process]:
        """The processes of history, configurations and the scheduler."""
        return [process for process in self.processes() if title_of(process) == "ray::SharedActors"]

    def check_nothing_is_left(self) -> None:
        assert self.processes() == []
        assert not accepts(self.port)

    def command(self, *arguments: str, **variables: str) -> list[str]:
        return [sys.executable, "-m", "cluster.cli", *arguments, "--data", str(self.folder)]

    def environment(self, **variables: str) -> dict[str, str]:
        groups = {
            f"OCS_{group}_{name}".upper(): str(value)
            for group, values in self._groups.items()
            for name, value in values.items()
        }
        return {**os.environ, **groups, **variables}

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The command line, on this instance."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )


def is_session_actor(process: psutil.Process) -> bool:
    return title_of(process).startswith("ray::SessionActor")


def title_of(process: psutil.Process) -> str:
    """What an actor's process is called; not the method that it runs, which may stand behind it."""
    try:
        return process.cmdline()[0].split(".")[0].strip()
    except (psutil.Error, IndexError):
        return ""


def create(api: httpx.Client, **changes: Any) -> dict[str, Any]:
    """A new session."""
    answer = api.post("/api/v1/chain", json={**PARAMETERS, **changes})
    assert answer.status_code == 201, answer.text
    session: dict[str, Any] = answer.json()
    return session


def step(api: httpx.Client, session_id: str, **query: Any) -> httpx.Response:
    return api.post("/api/v1/chain/step", params={"sessionid": session_id, **query})
