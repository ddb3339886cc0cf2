"""The first steps of a new user: sample data to look at, and a session that is created, stepped and shown."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from adapters.history_files.sample_data import SAMPLE_ASSET, load_sample
from adapters.mongo.history import MongoHistoricalRepository
from adapters.redis.cache import RedisCacheService
from cluster.commands.first_session import PARAMETERS
from cluster.history_stores import forget_prices, history_stores
from cluster.instance.problem import InstanceProblem
from cluster.instance.state import InstanceState
from cluster.settings import load_settings
from optionchain.errors import OptionChainError

SHOWN_STRIKES_A_SIDE = 5
SAMPLE_PATIENCE_SECONDS = 20.0


def run_demo(console: Console, state: InstanceState) -> None:
    """Load the sample data, create a session, serve one step, show the chain around the money.

    Raises:
        InstanceProblem: The service does not answer.
    """
    provide_sample(console, state)
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


def provide_sample(console: Console, state: InstanceState) -> None:
    """Load the sample data where it is missing; without it, everything else works."""
    stores = history_stores(load_settings(), state)
    if stores is None:
        return
    try:
        is_new = stores.run(_loaded)
    except (OptionChainError, TimeoutError) as error:
        reason = str(error) or f"not done after {SAMPLE_PATIENCE_SECONDS:.0f} s"
        console.print(f"The sample data could not be loaded: {reason}", style="yellow", markup=False)
        return
    if is_new:
        console.print(f"Loaded the sample data: prices and chains of {SAMPLE_ASSET}.")


async def _loaded(repository: MongoHistoricalRepository, cache: RedisCacheService) -> bool:
    async with asyncio.timeout(SAMPLE_PATIENCE_SECONDS):
        is_new = await load_sample(repository)
        if is_new:
            await forget_prices(cache, SAMPLE_ASSET)
    return is_new


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
