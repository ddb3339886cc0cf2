"""What editors saw is judged as what sessions served: versions that are lost, stored twice or changed are found."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from proving.chaos.checker import Verdict, check
from proving.drills.editors import Editors

pytestmark = pytest.mark.anyio

Versions = list[dict[str, object]]
Spoil = Callable[[Versions], object]


class Store:
    """A service of configurations, which may do wrong once it has five versions of one."""

    def __init__(self, spoil: Spoil) -> None:
        self._spoil: Spoil | None = spoil
        self._versions: dict[str, Versions] = {}

    def answer(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.split("/")[4]
        versions = self._versions.setdefault(name, [])
        if request.method == "GET":
            shown = [{"version": number + 1, "values": values} for number, values in enumerate(versions)]
            return httpx.Response(200, json={"data": shown[::-1]})
        if int(request.headers["If-Match"]) != len(versions):
            return httpx.Response(409)
        versions.append(json.loads(request.content))
        answer = httpx.Response(200, json={"version": len(versions)})
        if self._spoil and len(versions) == 5:
            self._spoil(versions)
            self._spoil = None
        return answer


async def judged(spoil: Spoil) -> Verdict:
    transport = httpx.MockTransport(Store(spoil).answer)
    async with httpx.AsyncClient(base_url="http://service", transport=transport) as api:
        editors = Editors(api, pause_seconds=0.0)

        async def ends() -> None:
            while len(editors.attempts) < 60:
                await editors.served_again()
            editors.finish()

        await asyncio.gather(editors.run(), ends())
    return check(editors.attempts, editors.is_replay)


async def test_who_keeps_everything_is_clean() -> None:
    verdict = await judged(lambda versions: None)

    assert verdict.is_clean
    assert verdict.acknowledged >= 56


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda versions: versions.pop(), "lost"),
        (lambda versions: versions.append(versions[-1]), "skipped"),
        (lambda versions: versions[-1].update(written="something else"), "wrong"),
    ],
    ids=["forgets one", "stores one twice", "changes one"],
)
async def test_who_does_wrong_is_found(spoil: Spoil, kind: str) -> None:
    verdict = await judged(spoil)

    assert kind in {violation.kind for violation in verdict.violations}
