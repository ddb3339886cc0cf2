"""The command line of keys: ``optionchain keys create | list | rotate | revoke | rotate-encryption``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from cluster.commands.calling import Called, Data, Key, Url, console
from cluster.commands.console import identities
from cluster.commands.told import steps
from cluster.settings import load_settings
from optionchain.access.roles import GIVEN_ROLES, SCOPES, in_words
from optionchain.wire.instants import instant_to_wire

KEYS = "/api/v1/keys"
PAGE = 100

app = typer.Typer(
    name="keys", help="API keys, made and revoked while the service runs.", no_args_is_help=True
)

Id = Annotated[str, typer.Argument(help="Of the key, as `keys list` shows it.")]
Days = Annotated[
    float | None, typer.Option("--days", min=0.0, help="It works so long. Left out: without end.")
]


@app.command()
def create(
    owner: Annotated[str, typer.Argument(help="The tenant whom everything belongs to that is made with it.")],
    role: Annotated[
        list[str], typer.Option("--role", help=f"{', '.join(GIVEN_ROLES)}; may be given several times.")
    ],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help=f"Only this of what the roles permit: {', '.join(SCOPES)}."),
    ] = None,
    note: Annotated[str, typer.Option("--note", help="What it is for.")] = "",
    days: Days = None,
    url: Url = None,
    api_key: Key = None,
    data: Data = None,
) -> None:
    """Make a key. It is shown once, on a line by itself on standard output."""
    body = {"owner": owner, "roles": role, "scopes": scope or [], "note": note, "expires_at": _in(days)}
    _show_made(Called.at(url, api_key, data).ask(KEYS, "POST", body))


@app.command("list")
def listed(url: Url = None, api_key: Key = None, data: Data = None) -> None:
    """Show all keys, without what makes them work; those made last come first."""
    service, page = Called.at(url, api_key, data), 1
    table = Table(identities(), "owner", "roles", "note", "created", "last used", "state")
    while True:
        found = service.ask(f"{KEYS}?page={page}&limit={PAGE}")
        for key in found["data"]:
            table.add_row(*_row(key))
        if page >= found["pagination"]["pages"]:
            break
        page += 1
    console.print(table)


@app.command()
def rotate(
    key_id: Id,
    overlap: Annotated[
        float, typer.Option("--overlap", min=0.0, help="Seconds that the old one works beside the new one.")
    ] = 0.0,
    days: Days = None,
    url: Url = None,
    api_key: Key = None,
    data: Data = None,
) -> None:
    """Replace a key by a new one of the same owner, roles and scopes."""
    body = {"overlap_seconds": overlap, "expires_at": _in(days)}
    _show_made(Called.at(url, api_key, data).ask(f"{KEYS}/{quote(key_id, safe='')}/rotate", "POST", body))


@app.command()
def revoke(key_id: Id, url: Url = None, api_key: Key = None, data: Data = None) -> None:
    """End a key. Within a second it works nowhere."""
    revoked = Called.at(url, api_key, data).ask(f"{KEYS}/{quote(key_id, safe='')}", "DELETE")
    console.print(f"{revoked['id']} of {revoked['owner']} is revoked.", markup=False)


@app.command("rotate-encryption")
def rotate_encryption(data: Data = None) -> None:
    """Encrypt what is stored under another key: a new one, or the first of OCS_ENCRYPTION_KEY.

    The key before stays behind it, for backups and for what is cached.
    """
    from cluster.commands.rotation import rotated  # noqa: PLC0415  it needs the drivers

    settings = load_settings().with_changes({"data": {"folder": data} if data else {}})
    with steps(console) as progress:
        done = rotated(settings, progress)
    console.print(f"{done.versions} secret versions of configurations, encrypted by the key {done.key_id}.")


def _show_made(made: dict[str, Any]) -> None:
    print(made["key"])  # plain: a script reads it
    typer.echo(
        f"The key {made['id']} of {made['owner']} ({in_words(made['roles'], made['scopes'])}). It is not shown again.",
        err=True,
    )


def _row(key: dict[str, Any]) -> tuple[str, ...]:
    state = "revoked" if key["revoked_at"] else f"until {key['expires_at']}" if key["expires_at"] else "works"
    used = key["last_used_at"] or "never"
    return (
        key["id"],
        key["owner"],
        in_words(key["roles"], key["scopes"]),
        key["note"],
        key["created_at"],
        used,
        state,
    )


def _in(days: float | None) -> str | None:
    if days is None:
        return None
    return instant_to_wire(datetime.now(UTC).replace(microsecond=0) + timedelta(days=days))
