"""What a request says in vain, or that contradicts itself, is told; nothing of it is swallowed."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from optionchain.models import MARKET_MODELS
from tests.integration.http.in_process_service import service
from tests.servers import RedisServer

pytestmark = pytest.mark.anyio
CHAIN = "/api/v1/chain"
STRICT = {"Prefer": "respond-async, handling=strict"}
OF_MODEL: dict[str, dict[str, Any]] = {
    "Brownian": {"drift": 0.05},
    "GeometricBrownian": {"drift": 0.05},
    "LogReturns": {"expected_return": 0.1},
    "MeanReverting": {"speed": 2.0, "mean": 4900.0},
    "JumpDiffusion": {"drift": 0.05, "intensity": 3.0, "jump_mean": -0.02, "jump_volatility": 0.05},
    "Garch": {"drift": 0.05, "alpha": 0.1, "beta": 0.85},
    "Heston": {"drift": 0.05, "kappa": 2.0, "theta": 0.04, "xi": 0.5, "rho": -0.7},
    "Custom": {"drift": 0.05, "vov": 0.3, "vol_speed": 2.0, "vol_mean": 0.25},
    "Telegraph": {"drift": 0.05, "lambda_up": 10.0, "lambda_down": 20.0},
}


async def created(api: httpx.AsyncClient, parameters: dict[str, Any], **changes: Any) -> Any:
    answer = await api.post(CHAIN, json={**parameters, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def stepped(api: httpx.AsyncClient, session: Any) -> Any:
    return (await api.post(f"{CHAIN}/step", params={"sessionid": session["id"]})).json()


async def changed(api: httpx.AsyncClient, session: Any, body: Any, **headers: str) -> httpx.Response:
    return await api.patch(CHAIN, params={"sessionid": session["id"]}, json=body, headers=headers)


def fields(answer: Any) -> list[str]:
    return [each["field"] for each in answer.get("warnings", [])]


async def at_the_money(api: httpx.AsyncClient, session: Any) -> float:
    """The volatility that prices the strike at the price."""
    chain = (await api.get(CHAIN, params={"sessionid": session["id"]})).json()
    return min(chain["contracts"], key=lambda contract: abs(contract["strike"] - chain["price"]))[
        "implied_volatility"
    ]


async def test_a_misspelt_field_is_named_with_the_one_that_was_meant(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    answer = await api.post(CHAIN, json={**parameters, "sead": 42})

    assert answer.json()["warnings"] == [
        {"field": "sead", "warning": "is not a known field: did you mean seed?"}
    ]
    assert answer.headers.get_list("Warning") == ['299 - "sead: is not a known field: did you mean seed?"']
    assert int(answer.headers["Content-Length"]) == len(answer.content)


async def test_a_misspelt_parameter_of_a_method_is_named_with_its_path(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    method = {"GeometricBrownian": {"dt": 1 / 365, "drift": 0.0, "volatility": 0.2, "drfit": 1.0}}

    answer = await created(api, parameters, method=method)

    assert fields(answer) == ["method.GeometricBrownian.drfit"]


async def test_a_misspelt_guard_of_a_step_is_told(api: httpx.AsyncClient, parameters: dict[str, Any]) -> None:
    session = await created(api, parameters)
    query = {"sessionid": session["id"], "expected_stp": "0"}

    lenient = await api.post(f"{CHAIN}/step", params=query)
    strict = await api.post(f"{CHAIN}/step", params=query, headers=STRICT)

    assert lenient.json()["warnings"][0]["warning"].endswith("did you mean expected_step?")
    assert strict.status_code == 400
    assert strict.json()["field"] == "expected_stp"
    assert (await stepped(api, session))["session_info"]["current_step"] == 2, "the strict one served nothing"


async def test_without_anything_to_tell_an_answer_has_no_warnings(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    answer = await api.post(CHAIN, json=parameters)

    assert "warnings" not in answer.json()
    assert "Warning" not in answer.headers


@pytest.mark.parametrize(
    "preference", ["handling=strict", 'Handling="strict"', "wait=10, handling=strict;x=1"]
)
async def test_a_caller_may_ask_for_strictness(
    preference: str, api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    answer = await api.post(CHAIN, json={**parameters, "sead": 42}, headers={"Prefer": preference})

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "Validation Error: sead: is not a known field: did you mean seed?",
        "field": "sead",
    }


async def test_a_service_may_be_strict_with_everybody(
    server: RedisServer, prefix: str, parameters: dict[str, Any]
) -> None:
    async with service(server, prefix, http={"strict": True}) as strict, strict.client() as api:
        assert (await api.post(CHAIN, json={**parameters, "sead": 42})).status_code == 400
        assert (await api.post(CHAIN, json=parameters)).status_code == 201


async def test_a_patch_of_nothing_starts_anew(api: httpx.AsyncClient, parameters: dict[str, Any]) -> None:
    session = await created(api, parameters)
    await stepped(api, session)

    after = (await changed(api, session, {})).json()

    assert (after["current_step"], after["state"]) == (0, "Reinitialized")


async def test_a_patch_of_unknown_names_alone_changes_nothing_and_leaves_the_cursor(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    session = await created(api, parameters)
    await stepped(api, session)

    after = (await changed(api, session, {"volatilty": 0.3})).json()

    assert (after["current_step"], after["state"]) == (1, "In Progress")
    assert after["parameters"] == session["parameters"]
    assert after["warnings"][0]["warning"].endswith("did you mean volatility?")
    assert (await changed(api, session, {"volatilty": 0.3}, **STRICT)).status_code == 400


async def test_a_patch_of_a_known_field_with_its_present_value_starts_anew(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    session = await created(api, parameters)
    await stepped(api, session)

    after = (await changed(api, session, {"volatility": 0.2, "volatilty": 0.3})).json()

    assert (after["current_step"], after["state"]) == (0, "Reinitialized")
    assert after["parameters"] == session["parameters"]


async def test_hostile_names_neither_leave_their_header_nor_grow_the_answer(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    hostile = {'"\r\nSet-Cookie: a=b': 1, "\u202eé\x00": 1, "x" * 10_000: 1} | {
        f"n{i}": 1 for i in range(1000)
    }

    answer = await api.post(CHAIN, json={**parameters, **hostile})

    assert answer.status_code == 201
    assert len(answer.json()["warnings"]) == 16
    assert len(answer.content) < 5_000
    assert "set-cookie" not in answer.headers
    assert all(line.isascii() and line.isprintable() for line in answer.headers.get_list("Warning"))


async def test_a_body_full_of_unknown_names_costs_little_more_than_its_reading(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    hostile = {f"volatilit{number}": 1 for number in range(100_000)}
    began = time.process_time()

    answer = await api.post(CHAIN, json={**parameters, **hostile})

    assert answer.status_code == 201
    # The names that are told take a millisecond; all of them would take two minutes.
    assert time.process_time() - began < 5.0


async def test_a_keyed_request_is_told_the_same_again(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    body = {**parameters, "sead": 42, "steps": 40}
    answers = [await api.post(CHAIN, json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert answers[0].content == answers[1].content
    assert fields(answers[1].json()) == ["sead", "steps"]
    assert answers[0].headers.get_list("Warning") == answers[1].headers.get_list("Warning")


@pytest.mark.parametrize("model", sorted(set(MARKET_MODELS) - {"Historical", "Recorded"}))
async def test_the_volatility_that_is_shown_prices_the_chain(
    model: str, api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    method = {model: {**OF_MODEL[model], "dt": 1 / 365, "volatility": 0.2}}
    flat = {"skew_slope": 0.0, "smile_curve": 0.0}
    session = await created(api, parameters, method=method, volatility=0.35, **flat)

    assert session["parameters"]["volatility"] == 0.2
    assert fields(session) == ["volatility"]
    assert await at_the_money(api, session) == pytest.approx(0.2, abs=1e-12)

    after = (await changed(api, session, {"volatility": 0.35})).json()

    assert after["parameters"]["volatility"] == 0.35
    assert after["parameters"]["method"][model]["volatility"] == 0.35
    assert fields(after) == []
    assert await at_the_money(api, after) == pytest.approx(0.35, abs=1e-12)

    again = (await changed(api, session, {"method": method})).json()

    assert again["parameters"]["volatility"] == 0.2
    assert await at_the_money(api, again) == pytest.approx(0.2, abs=1e-12)


async def test_a_history_without_a_volatility_of_its_own_yet_is_priced_by_the_one_shown(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    method = {"Historical": {"timeframe": "Day", "prices": [5000.0, 5010.0, 4990.0, 5005.0, 5000.0]}}
    flat = {"skew_slope": 0.0, "smile_curve": 0.0}
    session = await created(api, parameters, method=method, volatility=0.35, **flat)

    assert session["parameters"]["volatility"] == 0.35
    assert await at_the_money(api, session) == pytest.approx(0.35, abs=1e-12)


async def test_a_wrong_volatility_is_refused_though_the_method_has_its_own(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    answer = await api.post(CHAIN, json={**parameters, "volatility": 5.01})

    assert (answer.status_code, answer.json()["field"]) == (400, "volatility")


@pytest.mark.parametrize(
    ("time_frame", "years"),
    [("Day", 1 / 365), ("Hour", 1 / 8760), ("Week", 7 / 365), ({"Custom": 252}, 1 / 252)],
)
async def test_the_step_of_a_method_is_that_of_the_time_frame_where_it_says_none(
    time_frame: Any, years: float, api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    method = {"GeometricBrownian": {"drift": 0.05, "volatility": 0.2}}

    session = await created(api, parameters, method=method, time_frame=time_frame)

    assert session["parameters"]["method"]["GeometricBrownian"]["dt"] == pytest.approx(years, rel=1e-12)
    assert fields(session) == []
    after = (await changed(api, session, {"method": method})).json()
    assert after["parameters"]["method"] == session["parameters"]["method"]


@pytest.mark.parametrize(
    ("dt", "time_frame", "is_told"),
    [(0.004, "Day", True), (0.00274, "Day", False), (1 / 365, "Hour", True), (1.09 / 365, "Day", False)],
)
async def test_a_step_that_is_not_the_time_frames_is_told(
    dt: float, time_frame: str, is_told: bool, api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    method = {"GeometricBrownian": {"dt": dt, "drift": 0.05, "volatility": 0.2}}

    session = await created(api, parameters, method=method, time_frame=time_frame)

    assert fields(session) == (["method.GeometricBrownian.dt"] if is_told else [])


async def test_a_change_of_the_time_frame_alone_is_told_where_the_step_stays(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    session = await created(api, parameters)

    assert fields((await changed(api, session, {"time_frame": "Hour"})).json()) == [
        "method.GeometricBrownian.dt"
    ]


async def test_fewer_steps_than_were_asked_for_are_told(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    session = await created(api, parameters, steps=32)

    assert session["total_steps"] == 31
    assert session["warnings"] == [
        {"field": "steps", "warning": "32 were asked for, and the expiration ends it after 31"}
    ]


SIMULATION: dict[str, Any] = {
    "timezone": "UTC",
    "expiration_time": "16:00",
    "schedules": [{"rule_id": "d", "kind": "daily", "target_count": 1}],
    "start_at": "2026-01-05T14:30:00Z",
}


async def test_a_simulation_takes_its_step_from_the_interval_and_is_told_of_another(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    del parameters["days_to_expiration"]
    body = {**parameters, **SIMULATION, "step_interval_seconds": 3600}
    none = {"GeometricBrownian": {"drift": 0.05, "volatility": 0.2}}

    derived = (await api.post("/api/v2/simulations", json={**body, "method": none})).json()
    daily = (await api.post("/api/v2/simulations", json=body)).json()

    assert derived["parameters"]["method"]["GeometricBrownian"]["dt"] == pytest.approx(1 / 8760)
    assert fields(derived) == []
    assert fields(daily) == ["method.GeometricBrownian.dt"]
