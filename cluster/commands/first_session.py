"""The first session of a new user: what `optionchain up` prints to be pasted, and what `optionchain demo` steps."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from cluster.commands.console import dashboard_of
from cluster.instance.state import InstanceState

PATIENCE_SECONDS = 5.0
PARAMETERS: dict[str, Any] = {
    "symbol": "SPX",
    "steps": 30,
    "initial_price": 5000.0,
    "days_to_expiration": 30.0,
    "volatility": 0.2,
    "risk_free_rate": 0.04,
    "dividend_yield": 0.015,
    "time_frame": "Day",
    "seed": 42,
    "method": {"GeometricBrownian": {"drift": 0.05, "volatility": 0.2}},
}


def show_first_steps(console: Console, state: InstanceState) -> None:
    """How to use a running instance."""
    key = state.api_key
    console.print()
    console.print(f"[bold]Open this, and look:[/] {page_address(state)}", highlight=False, soft_wrap=True)
    console.print(
        f"[bold]Ready:[/] {state.base_url}    API key: {key or 'none needed'}",
        highlight=False,
        soft_wrap=True,
    )
    if state.https_url:
        console.print(
            f"HTTPS: {state.https_url}, by the names of its certificate; the address above is for this machine alone.",
            highlight=False,
            soft_wrap=True,
        )
    console.print(
        f"Documentation: {state.base_url}/docs{dashboard_of(state)}", highlight=False, soft_wrap=True
    )
    _paste(console, "A session by curl", by_curl(state))
    _paste(console, f"The same in Python, by {_python()}", by_client(state))
    console.print("[dim]optionchain status | logs | demo | down; in a clone: make stop[/]", highlight=False)


def show_address(console: Console, state: InstanceState) -> None:
    """Where a running instance is, for a log that is kept: without the key, which whoever gave it knows."""
    console.print(f"[bold]Ready:[/] {state.base_url}", highlight=False, soft_wrap=True)


def page_address(state: InstanceState) -> str:
    """Where the page is, with a code in the address that signs in once, where one is needed and can be made."""
    page = f"{state.base_url}/"
    if not state.api_key:
        return page
    import httpx  # noqa: PLC0415  a third of a second

    try:
        answer = httpx.post(
            f"{state.base_url}/api/v1/sign-in/codes",
            headers={"X-API-Key": state.api_key},
            timeout=PATIENCE_SECONDS,
            trust_env=False,
        )
        code = answer.raise_for_status().json()["code"]
    except (httpx.HTTPError, ValueError, KeyError):
        return page  # the key is shown beneath
    return f"{page}#code={code}"


def by_curl(state: InstanceState) -> str:
    """Lines for a shell: a session, and its first step."""
    header = f' -H "X-API-Key: {state.api_key}"' if state.api_key else ""
    body = json.dumps(PARAMETERS, separators=(",", ":"))
    return f"""\
ID=$(curl -s{header} -H 'Content-Type: application/json' {state.base_url}/api/v1/chain \\
  -d '{body}' | cut -d '"' -f 4)
curl -s{header} -X POST "{state.base_url}/api/v1/chain/step?sessionid=$ID"
"""


def by_client(state: InstanceState) -> str:
    """Lines for Python: a session, and its first step."""
    key = f', "{state.api_key}"' if state.api_key else ""
    given = ", ".join(f"{name}={value!r}" for name, value in PARAMETERS.items())
    return f"""\
from optionchain_client import Client
client = Client("{state.base_url}"{key})
session = client.create_session({given})
snapshot = session.step()
print(snapshot.simulated_at, snapshot.price, len(snapshot.contracts), "strikes")
"""


def _python() -> str:
    """The Python that has the client, as one calls it from here."""
    return (
        os.path.relpath(sys.executable) if Path(sys.executable).is_relative_to(Path.cwd()) else sys.executable
    )


def _paste(console: Console, title: str, text: str) -> None:
    # No borders and no wrapping: what is shown must work when it is pasted.
    console.print(f"\n[bold]{title}[/]", highlight=False, soft_wrap=True)
    console.print(text.rstrip(), markup=False, highlight=False, soft_wrap=True)
