"""The command line of configurations: ``optionchain config get``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import quote

import httpx
import typer
from rich.console import Console

from cluster.instance.instance import Instance
from cluster.settings import load_settings

PATIENCE_SECONDS = 30.0

app = typer.Typer(name="config", help="Named configurations of the service.", no_args_is_help=True)
console = Console()


@app.callback()
def config() -> None:
    """Named configurations; `simulator` gives new sessions their defaults and limits."""


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="Of the configuration: simulator.")],
    key: Annotated[
        str | None, typer.Argument(help="A parameter: spread, or its whole path. Without it, all of them.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(envvar="OPTIONCHAIN_URL", help="Of a service; else the one that runs here.")
    ] = None,
    api_key: Annotated[
        str | None, typer.Option("--key", envvar="OPTIONCHAIN_KEY", help="Its API key.")
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", help="The folder of the instance.")] = None,
) -> None:
    """Show a parameter and where its value comes from, or the latest version of a configuration."""
    address, secret = (url, api_key) if url else _running(data)
    path = f"/api/v1/config/{quote(name, safe='')}"
    if key is None:
        console.print_json(json.dumps(_asked(address, secret, path)))
        return
    found = _asked(address, secret, f"{path}/parameters/{quote(key, safe='')}")
    console.print(f"{found['key']} = {json.dumps(found['value'])}  ({_origin(found)})", markup=False)


def _origin(found: dict[str, Any]) -> str:
    of_version = f"version {found['version']} of the configuration {found['configuration']}"
    origin = "built in" if found["source"] == "default" else of_version
    return f"{origin}; a request's own value wins" if found["overridden_by"] == "request" else origin


def _running(data: Path | None) -> tuple[str, str | None]:
    settings = load_settings()
    if data is not None:
        settings = settings.with_changes({"data": {"folder": data}})
    state = Instance(settings).state()
    if state is None:
        _fail("Nothing is running: `optionchain up` starts it, or --url says where another service is.")
    return state.base_url, state.api_key


def _asked(address: str, secret: str | None, path: str) -> dict[str, Any]:
    headers = {"X-API-Key": secret} if secret else {}
    try:
        answer = httpx.get(
            address.rstrip("/") + path, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False
        )
        body: dict[str, Any] = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        _fail(f"{address} does not answer as it should: {error}")
    if answer.is_error:
        _fail(str(body.get("error", answer.status_code)))
    return body


def _fail(message: str) -> NoReturn:
    console.print(message, style="red", markup=False)
    raise typer.Exit(1)
