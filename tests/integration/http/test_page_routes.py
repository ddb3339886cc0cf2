"""What the page asks of the service, asked without it: signing in by a code, who calls, fans, and YAML."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from adapters.redis.one_time import RedisOneTime
from cluster.identity.sign_in_codes import SignInCodes
from optionchain.errors import InvalidInput
from serve_app.handling.yaml_bodies import MOST_BYTES, read_yaml
from tests.integration.http.in_process_service import BOB, Service
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio


async def test_a_code_gives_the_key_that_it_was_made_with_once(running: Service) -> None:
    async with running.client(BOB) as bob, running.client(None) as nobody:
        made = await bob.post("/api/v1/sign-in/codes")
        first = await nobody.post("/api/v1/sign-in", json={"code": made.json()["code"]})
        second = await nobody.post("/api/v1/sign-in", json={"code": made.json()["code"]})
        caller = await nobody.get(
            "/api/v1/caller", headers={"Authorization": f"Bearer {first.json()['key']}"}
        )
        made_by_nobody = await nobody.post("/api/v1/sign-in/codes")

    assert (made.status_code, made.json()["expires_in"], made.headers["Cache-Control"]) == (
        201,
        600.0,
        "no-store",
    )
    assert first.json() == {"key": BOB}
    assert first.headers["Cache-Control"] == "no-store"
    assert (second.status_code, "works once" in second.json()["error"]) == (401, True)
    assert caller.json()["tenant"] == "bob"
    assert "read" in caller.json()["permissions"]
    assert "administer" not in caller.json()["permissions"]
    assert made_by_nobody.status_code == 401


async def test_what_waits_for_a_code_tells_nothing_and_expires(server: RedisServer, prefix: str) -> None:
    client = server.open()
    codes = SignInCodes(RedisOneTime(client, prefix=prefix), seconds=600.0)
    code = await codes.make("a-secret-of-somebody")

    [name] = [each async for each in client.scan_iter(f"{prefix}:once:*")]
    kept = await client.get(name)
    assert b"a-secret" not in kept
    assert code.encode() not in name + kept
    assert 0 < await client.pttl(name) <= 600_000
    await client.set(name, b"written by somebody else")
    assert await codes.redeem(code) is None
    assert await codes.redeem("x" * 43) is None
    await client.aclose()


async def test_a_fan_is_that_of_the_library_for_v1_and_v2(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    session = (await api.post("/api/v1/chain", json=parameters)).json()
    query = {"sessionid": session["id"], "paths": 20, "levels": "0.9,0.1"}
    fan = (await api.get("/api/v1/chain/fan", params=query)).json()
    again = (await api.get("/api/v1/chain/fan", params=query)).json()

    assert (fan["paths"], fan["levels"], fan) == (20, [0.1, 0.9], again)
    assert [len(each) for each in fan["prices"]] == [5, 5]
    assert [each[0] for each in fan["prices"]] == [5000.0, 5000.0]
    assert fan["prices"][0][-1] < fan["prices"][1][-1]
    for wrong, field in (({"levels": "a"}, "levels"), ({"paths": 1001}, "paths"), ({"levles": 3}, "levles")):
        answer = await api.get("/api/v1/chain/fan", params=query | wrong)
        assert (answer.status_code, answer.json()["field"]) == (400, field)
    unknown = await api.get(f"/api/v2/simulations/{session['id']}/fan")
    assert unknown.status_code == 404


async def test_the_activity_of_a_snapshot_is_that_of_the_library(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    session = (await api.post("/api/v1/chain", json=parameters)).json()
    query = {"sessionid": session["id"], "step": 2}
    answer = (await api.get("/api/v1/chain/activity", params=query)).json()
    again = (await api.get("/api/v1/chain/activity", params=query)).json()
    next_one = (await api.get("/api/v1/chain/activity", params={"sessionid": session["id"]})).json()
    snapshot = (await api.get("/api/v1/chain", params={"sessionid": session["id"]})).json()

    assert (answer["step"], next_one["step"], answer) == (2, 0, again)
    [chain] = next_one["chains"]
    assert [each["strike"] for each in chain["contracts"]] == [
        each["strike"] for each in snapshot["contracts"]
    ]
    busy = [each["call"]["open_interest"] for each in chain["contracts"]]
    assert max(busy) > 0
    for wrong, field in (({"step": 9999}, "step"), ({"step": -1}, "step"), ({"scale": -1}, "scale")):
        refused = await api.get("/api/v1/chain/activity", params=query | wrong)
        assert (refused.status_code, refused.json()["field"]) == (400, field)
    unknown = await api.get(f"/api/v2/simulations/{session['id']}/activity")
    assert unknown.status_code == 404


def test_yaml_is_read_as_json_is() -> None:
    assert read_yaml(b"base: {a: 1}\nmeasures: [x]") == {"base": {"a": 1}, "measures": ["x"]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"a: &x [1]\nb: *x", "at line 2: aliases are not taken"),
        (b"a: [", "is not valid YAML"),
        (b"a: !!python/object:os.system {}", "is not valid YAML"),
        (b"[" * 5000, "is not valid YAML"),
        (b"#" * (MOST_BYTES + 1), "has more than"),
    ],
)
def test_yaml_that_is_no_plain_value_is_refused(text: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        read_yaml(text)
