"""The command line of quotas: ``optionchain quotas list | show | set | remove``."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from cluster.commands.calling import Called, Data, Key, Url, console
from cluster.instance.problem import InstanceProblem
from optionchain.access.quotas import Quota

QUOTAS = "/api/v1/quotas"

app = typer.Typer(
    name="quotas",
    help="What each tenant may take: set while the service runs, where OCS_QUOTA_ENABLED is true.",
    no_args_is_help=True,
)

Tenant = Annotated[str, typer.Argument(help="The owner of its keys.")]


@app.command("list")
def listed(url: Url = None, api_key: Key = None, data: Data = None) -> None:
    """Show the tenants of whom something was set, and what is in force of them."""
    table = Table("tenant", *(each.value for each in Quota))
    for row in Called.at(url, api_key, data).ask(QUOTAS)["data"]:
        table.add_row(row["tenant"], *(_limit(row["limits"][each.value]) for each in Quota))
    console.print(table)


@app.command()
def show(tenant: Tenant, url: Url = None, api_key: Key = None, data: Data = None) -> None:
    """Show what a tenant may take, and what it has taken."""
    _show(Called.at(url, api_key, data).ask(_path(tenant)))


@app.command("set")
def set_quotas(
    tenant: Tenant,
    quota: Annotated[
        list[str],
        typer.Argument(
            help=f"QUOTA=LIMIT, each one of {', '.join(Quota)}; 0 is no limit, and of the others the settings count.",
        ),
    ],
    url: Url = None,
    api_key: Key = None,
    data: Data = None,
) -> None:
    """Set what a tenant may take, in place of what was set."""
    _show(Called.at(url, api_key, data).ask(_path(tenant), "PUT", dict(_read(each) for each in quota)))


@app.command()
def remove(tenant: Tenant, url: Url = None, api_key: Key = None, data: Data = None) -> None:
    """Let a tenant have what the settings say."""
    _show(Called.at(url, api_key, data).ask(_path(tenant), "DELETE"))


def _path(tenant: str) -> str:
    return f"{QUOTAS}/{quote(tenant, safe='')}"


def _read(text: str) -> tuple[str, int]:
    name, _, limit = text.partition("=")
    if name not in list(Quota) or not limit.isdecimal():
        raise InstanceProblem(f"{text}: write QUOTA=LIMIT, with a whole number and one of {', '.join(Quota)}")
    return name, int(limit)


def _show(shown: dict[str, Any]) -> None:
    table = Table("quota", "used", "limit", "set by")
    for each in Quota:
        own, used = shown["own"][each.value], shown["used"][each.value]
        said = "the settings" if own is None else "an administrator"
        used_text = "" if used is None else f"{used:,}"
        table.add_row(each.value, used_text, _limit(shown["limits"][each.value]), said)
    console.print(table)


def _limit(limit: int) -> str:
    return f"{limit:,}" if limit else "none"
