"""Several underlyings as one simulation of v2: stepped, exported, replayed from its echo, and refused by name."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from optionchain_client.snapshots import served, to_polars
from serve_app.bodies.simulations import EXAMPLE

pytestmark = pytest.mark.anyio
SIMULATIONS = "/api/v2/simulations"
NDX = {
    "symbol": "NDX",
    "initial_price": 20_000.0,
    "method": {"GeometricBrownian": {"drift": 0.05, "volatility": 0.25}},
    "strike_interval": 100.0,
}
BODY: dict[str, Any] = EXAMPLE | {"steps": 3, "underlyings": [NDX], "correlations": [[1.0, 0.9], [0.9, 1.0]]}


async def test_one_cursor_moves_all_underlyings(api: httpx.AsyncClient) -> None:
    alone = (await api.post(SIMULATIONS, json=EXAMPLE | {"steps": 3})).json()
    answer = await api.post(SIMULATIONS, json=BODY)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    step = (await api.post(f"{SIMULATIONS}/{made['id']}/step")).json()
    step_alone = (await api.post(f"{SIMULATIONS}/{alone['id']}/step")).json()

    assert (step["underlying"], step["chains"]) == (step_alone["underlying"], step_alone["chains"])
    [other] = step["others"]
    assert other["underlying"]["symbol"] == "NDX"
    assert [chain["expires_at"] for chain in other["chains"]] == [
        chain["expires_at"] for chain in step["chains"]
    ]
    frame = to_polars(served(step))
    assert frame["symbol"].unique(maintain_order=True).to_list() == ["SPX", "NDX"]


async def test_the_echo_is_a_request_for_the_same_market(api: httpx.AsyncClient) -> None:
    body = BODY | {"correlations": [[1.0, 0.9], [0.9, 1.0]], "correlation_repair": "nearest"}
    made = (await api.post(SIMULATIONS, json=body)).json()
    again = (await api.post(SIMULATIONS, json=made["parameters"])).json()
    rows = [
        (await api.get(f"{SIMULATIONS}/{one['id']}/export", params={"dataset": "underlying"})).json()
        for one in (made, again)
    ]

    assert "correlation_repair" not in made["parameters"]
    assert made["parameters"]["underlyings"][0]["volatility"] == 0.25
    assert rows[0] == rows[1]
    assert [row["symbol"] for row in rows[0]] == ["SPX"] * 3 + ["NDX"] * 3


async def test_what_a_session_of_v1_is_changed_to_is_checked_as_a_whole(
    api: httpx.AsyncClient, parameters: dict[str, Any]
) -> None:
    made = (await api.post("/api/v1/chain", json=parameters)).json()

    async def changed(**changes: Any) -> httpx.Response:
        return await api.patch("/api/v1/chain", params={"sessionid": made["id"]}, json=changes)

    several = await changed(underlyings=[NDX])
    odd = {"symbol": "X", "initial_price": 1e300, "method": {"\u6177": {}}, "\u0000": [None]}

    assert several.status_code == 200, several.text
    assert several.json()["parameters"]["underlyings"][0]["symbol"] == "NDX"
    for refused in (
        await changed(underlyings=[odd]),
        await changed(underlyings=5),
        await changed(correlations=5),
        await changed(correlations=[5]),
    ):
        assert refused.status_code == 400, refused.text
        assert refused.json()["field"].startswith(("underlyings", "correlations"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"correlations": [[1.0, 1.5], [1.5, 1.0]]}, "correlations[0][1]"),
        ({"underlyings": [NDX | {"method": {"Heston": {}}}]}, "underlyings[0].method.Heston.drift"),
        ({"underlyings": [NDX | {"chain_size": 501}]}, "underlyings[0].chain_size"),
    ],
)
async def test_what_is_wrong_is_a_400_that_names_it(
    api: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await api.post(SIMULATIONS, json=BODY | change)

    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text
