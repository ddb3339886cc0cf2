"""Servers of the user's own that do not answer are named before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.instance.instance import Instance, processes
from cluster.instance.ports import free_ports
from cluster.instance.problem import InstanceProblem
from cluster.settings import Settings
from tests.servers import RedisServer


class Steps:
    """A `Progress` that keeps what was waited for."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def step(self, what: str) -> None:
        self.steps.append(what)

    def done(self) -> None: ...

    def give_up(self) -> None: ...


def refusal(folder: Path, **groups: object) -> str:
    """What `up` says, having started nothing."""
    (port,) = free_ports(1)
    progress = Steps()
    with pytest.raises(InstanceProblem) as problem:
        Instance(Settings(data={"folder": folder}, http={"port": port}, **groups)).up(progress)  # type: ignore[arg-type]
    assert progress.steps == []
    assert processes.marked(str(folder.resolve())) == []
    return str(problem.value)


def test_a_redis_that_is_down_is_named_and_without_its_password(tmp_path: Path) -> None:
    (nobody,) = free_ports(1)

    message = refusal(tmp_path, redis={"url": f"redis://:secret@127.0.0.1:{nobody}/0"})

    assert f"Redis at redis://127.0.0.1:{nobody} gives no answer" in message
    assert "OCS_REDIS_URL" in message
    assert "secret" not in message


def test_a_redis_that_refuses_the_password_is_named(tmp_path: Path, server: RedisServer) -> None:
    message = refusal(tmp_path, redis={"url": server.url.replace("only-on-loopback", "wrong")})

    assert "refuses the credentials" in message


def test_a_mongodb_that_is_down_is_named(tmp_path: Path) -> None:
    (nobody,) = free_ports(1)

    message = refusal(tmp_path, mongo={"uri": f"mongodb://127.0.0.1:{nobody}/", "timeout_seconds": 0.5})

    assert f"MongoDB at mongodb://127.0.0.1:{nobody} gives no answer" in message
    assert "OCS_MONGO_URI" in message


def test_a_cache_that_is_down_is_named(tmp_path: Path, server: RedisServer) -> None:
    (nobody,) = free_ports(1)

    message = refusal(
        tmp_path, redis={"url": server.url}, cache={"redis_url": f"redis://:secret@127.0.0.1:{nobody}"}
    )

    assert f"The cache's Redis at redis://127.0.0.1:{nobody} gives no answer" in message
    assert "OCS_CACHE_REDIS_URL" in message
    assert "secret" not in message
