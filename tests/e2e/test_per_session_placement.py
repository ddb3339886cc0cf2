"""An actor, and so a process, for each session; and the end of an instance whose Ray head was killed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from clusters import Cluster, create, eventually, step


@pytest.fixture(scope="module")
def isolated() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="optionchain-e2e-") as folder:
        cluster = Cluster(
            Path(folder), session={"placement": "per-session", "sweep_seconds": 1.0}, auth={"enabled": False}
        )
        with cluster.running():
            yield cluster


def test_a_session_lives_and_dies_in_a_process_of_its_own(isolated: Cluster) -> None:
    with isolated.client() as api:
        first = create(api)["id"]
        second = create(api)["id"]
        actors = isolated.session_actors()
        assert len(actors) == 2
        assert step(api, first).json()["session_info"]["current_step"] == 1

        for actor in actors:
            actor.kill()
        answer = step_until_served(api, first)
        assert answer.json()["session_info"]["current_step"] == 2

        for session_id in (first, second):
            assert api.delete("/api/v1/chain", params={"sessionid": session_id}).status_code == 200
        eventually(lambda: isolated.session_actors() == [], "the actors of deleted sessions have ended")


def step_until_served(api: httpx.Client, session_id: str) -> httpx.Response:
    while (answer := step(api, session_id)).status_code == 503:
        assert answer.headers["Retry-After"]
    assert answer.status_code == 200
    return answer


def test_without_authentication_no_key_is_needed(isolated: Cluster) -> None:
    assert isolated.state.api_key is None
    answer = httpx.get(f"{isolated.state.base_url}/api/v1/chain/sessions", trust_env=False)

    assert answer.status_code == 200


def test_down_leaves_nothing_when_the_head_of_ray_was_killed(isolated: Cluster) -> None:
    (head,) = [process for process in isolated.processes() if "--block" in process.cmdline()]
    head.kill()

    down = isolated.run("down")

    assert down.returncode == 0, down.stderr
    isolated.check_nothing_is_left()
    assert isolated.run("down").stdout.strip() == "Nothing was running."
