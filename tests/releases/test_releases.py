"""What each release left behind is opened and stepped by the code of now, and then by that release again.

A later release may answer with more; what a release answered, it answers too. `write.py` made the files.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from optionchain.numerics import IDENTITY
from tests.integration.history import mongo_servers
from tests.releases.dumps import load
from tests.releases.instance import ROOT, code_of, running
from tests.releases.write import HERE, stepping
from tests.servers import redis_server

pytestmark = pytest.mark.timeout(600)

WRITTEN = sorted((HERE / "written").iterdir())


@dataclass(frozen=True)
class Left:
    """What a release left behind, on servers that run."""

    expected: dict[str, Any]
    data: Path
    redis_url: str
    mongo_uri: str

    def wrong(self, number: int, api: httpx.Client) -> list[str]:
        """Read and step everything, and compare it with what the release reads, and has for this step."""
        # Another arithmetic may differ in the last digits.
        tolerance = 0.0 if self.expected["numerics"] == IDENTITY else 1e-9
        read = {path: api.get(path).json() for path in self.expected["read"]}
        stepped = {path: stepping(api, path) for path in self.expected["steps"]}
        steps = {path: answers[number] for path, answers in self.expected["steps"].items()}
        return differences(self.expected["read"], read, tolerance) + differences(steps, stepped, tolerance)


@pytest.fixture(scope="module", params=WRITTEN, ids=lambda folder: folder.name)
def left(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Left]:
    place, folder = tmp_path_factory.mktemp("release"), request.param
    data = place / "data"
    data.mkdir(mode=0o700)
    with redis_server(place / "redis") as redis, mongo_servers.standalone(place / "mongo") as mongo:
        load(folder, redis.url, mongo, data)
        yield Left(json.loads((folder / "expected.json").read_text()), data, redis.url, mongo)


@pytest.fixture(scope="module")
def wrong_now(left: Left) -> list[str]:
    """What the code of now, which has stepped everything once, shows otherwise than the release."""
    with running(ROOT, left.data, left.redis_url, left.mongo_uri) as api:
        return left.wrong(0, api)


def differences(then: Any, now: Any, tolerance: float, place: str = "") -> list[str]:
    """What an answer of then says and one of now does not."""
    match then, now:
        case dict(), dict():
            pairs = [(name, value, now.get(name)) for name, value in then.items()]
        case list(), list() if len(then) == len(now):
            pairs = [(str(number), *pair) for number, pair in enumerate(zip(then, now, strict=True))]
        case float(), float() if math.isclose(then, now, rel_tol=tolerance, abs_tol=tolerance):
            pairs = []
        case _:
            return [] if then == now else [f"{place}: {then!r}, and now {now!r}"]
    return [
        line for name, one, other in pairs for line in differences(one, other, tolerance, f"{place}/{name}")
    ]


def test_every_release_is_kept() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(\d[^]]*)\]", changelog, re.MULTILINE)

    assert set(released) <= {folder.name for folder in WRITTEN}, "python -m tests.releases.write TAG"


def test_the_code_of_now_opens_and_steps_what_a_release_left(wrong_now: list[str]) -> None:
    assert wrong_now == []


@pytest.mark.usefixtures("wrong_now")
def test_the_release_goes_on_with_what_the_code_of_now_has_stepped(left: Left, tmp_path: Path) -> None:
    if not code_of(left.expected["commit"], tmp_path):
        pytest.skip("the history of this clone does not reach back to that release")

    with running(tmp_path, left.data, left.redis_url, left.mongo_uri) as api:
        assert left.wrong(1, api) == []
