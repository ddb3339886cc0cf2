"""The first session of a new user: created, stepped and shown."""

from __future__ import annotations

from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from cluster.instance import InstanceProblem
from cluster.instance_state import InstanceState

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
    "seed": 42,
}
SHOWN_STRIKES_A_SIDE = 5


def run_demo(console: Console, state: InstanceState) -> None:
    """Create a session, serve one step, show the chain around the money.

    Raises:
        InstanceProblem: The service does not answer.
    """
    headers = {"X-API-Key": state.api_key} if state.api_key else {}
    try:
        with httpx.Client(base_url=state.base_url, headers=headers, timeout=30.0, trust_env=False) as api:
            session = api.post("/api/v1/chain", json=PARAMETERS).raise_for_status().json()
            step = api.post("/api/v1/chain/step", params={"sessionid": session["id"]})
            chain = step.raise_for_status().json()
    except httpx.HTTPError as error:
        raise InstanceProblem(
            f"The service does not answer as it should: {error}. See `optionchain logs`."
        ) from error
    show_chain(console, chain)
    console.print(f"Session {session['id']}, seed {session['parameters']['seed']}: the next step is yours.")


def show_chain(console: Console, chain: dict[str, Any]) -> None:
    """A chain as a table: calls on the left, puts on the right, a few strikes around the money."""
    info = chain["session_info"]
    expiration = chain["contracts"][0]["expiration"]
    table = Table(
        title=f"{chain['underlying']} {chain['price']:,.2f} at {chain['timestamp']}, expiring {expiration}",
        caption=f"step {info['current_step']} of {info['total_steps']}",
    )
    for heading in ("call bid", "ask", "delta", "strike", "put bid", "ask", "delta", "implied vol"):
        table.add_column(heading, justify="right", style="bold" if heading == "strike" else None)
    for contract in around_the_money(chain):
        call, put = contract["call"], contract["put"]
        table.add_row(
            f"{call['bid']:,.2f}",
            f"{call['ask']:,.2f}",
            f"{call['delta']:.3f}",
            f"{contract['strike']:,g}",
            f"{put['bid']:,.2f}",
            f"{put['ask']:,.2f}",
            f"{put['delta']:.3f}",
            f"{contract['implied_volatility']:.2%}",
        )
    console.print(table)


def around_the_money(chain: dict[str, Any]) -> list[dict[str, Any]]:
    """The contracts whose strikes are nearest to the price."""
    contracts: list[dict[str, Any]] = chain["contracts"]
    nearest = min(range(len(contracts)), key=lambda index: abs(contracts[index]["strike"] - chain["price"]))
    first = max(nearest - SHOWN_STRIKES_A_SIDE, 0)
    return contracts[first : nearest + SHOWN_STRIKES_A_SIDE + 1]
