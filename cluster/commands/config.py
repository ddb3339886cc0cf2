"""The command line of configurations: ``optionchain config get``."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cluster.commands.calling import Called, Data, Key, Url, console

app = typer.Typer(name="config", help="Named configurations of the service.", no_args_is_help=True)


@app.callback()
def config() -> None:
    """Named configurations; `simulator` gives new sessions their defaults and limits."""


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="Of the configuration: simulator.")],
    key: Annotated[
        str | None, typer.Argument(help="A parameter: spread, or its whole path. Without it, all of them.")
    ] = None,
    url: Url = None,
    api_key: Key = None,
    data: Data = None,
) -> None:
    """Show a parameter and where its value comes from, or the latest version of a configuration."""
    service = Called.at(url, api_key, data)
    path = f"/api/v1/config/{quote(name, safe='')}"
    if key is None:
        console.print_json(json.dumps(service.ask(path)))
        return
    found = service.ask(f"{path}/parameters/{quote(key, safe='')}")
    console.print(f"{found['key']} = {json.dumps(found['value'])}  ({_origin(found)})", markup=False)


def _origin(found: dict[str, Any]) -> str:
    of_version = f"version {found['version']} of the configuration {found['configuration']}"
    origin = "built in" if found["source"] == "default" else of_version
    return f"{origin}; a request's own value wins" if found["overridden_by"] == "request" else origin
