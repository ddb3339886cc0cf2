"""The command line of a second site: ``optionchain site status | promote``."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.table import Table

from adapters.standby import Copy
from cluster.commands.calling import console
from cluster.instance.problem import InstanceProblem
from cluster.settings import Settings, load_settings
from cluster.standby import copies, promote
from optionchain.errors import OptionChainError

app = typer.Typer(
    name="site", help="The stores of a second site, which follow the first.", no_args_is_help=True
)

# Of each store of the second site itself.
TIMEOUT_SECONDS = 5.0

Redis = Annotated[
    str | None, typer.Option("--redis", help="URL of the Redis of the second site; else OCS_REDIS_URL.")
]
Mongo = Annotated[
    str | None,
    typer.Option(
        "--mongo", help="URI of a member of MongoDB there, with directConnection=true; else OCS_MONGO_URI."
    ),
]


@app.command()
def status(redis: Redis = None, mongo: Mongo = None) -> None:
    """Show how far the second site is behind; exit code 1 where a store does not hear the first, or is no mere copy."""
    found = _done(copies(_stores(redis, mongo)))
    _show(found)
    for name in (name for name, copy in found.items() if not copy.is_passive):
        console.print(
            f"{name}: a member here votes, or may be elected or read, while the first site is there. rs.reconfig: "
            "priority: 0, votes: 0, hidden: true"
        )
    is_well = all(copy.is_passive and (copy.is_first or copy.hears_the_first) for copy in found.values())
    raise typer.Exit(0 if is_well else 1)


@app.command("promote")
def promoted(
    redis: Redis = None,
    mongo: Mongo = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Though the first still answers: be sure that nobody writes there."),
    ] = False,
) -> None:
    """Let the second site take over: its stores follow nobody any more, and take writes."""
    _show(_done(promote(_stores(redis, mongo), is_forced=force)))
    console.print(
        "The stores of this site take writes. Start the nodes here; the first site has to stay stopped."
    )


def _stores(redis: str | None, mongo: str | None) -> Settings:
    settings = load_settings()
    try:
        settings = settings.with_changes(
            {
                "redis": {"url": redis or settings.redis.url, "timeout_seconds": TIMEOUT_SECONDS},
                "mongo": {"uri": mongo or settings.mongo.uri, "timeout_seconds": TIMEOUT_SECONDS},
            }
        )
    except ValidationError as error:
        raise InstanceProblem(str(error)) from error
    if settings.redis.url is None or settings.mongo.uri is None:
        raise InstanceProblem(
            "--redis and --mongo, or OCS_REDIS_URL and OCS_MONGO_URI, must lead to the stores"
        )
    return settings


def _done(work: Coroutine[Any, Any, Mapping[str, Copy]]) -> Mapping[str, Copy]:
    try:
        return asyncio.run(work)
    except OptionChainError as error:
        raise InstanceProblem(str(error)) from error


def _show(found: Mapping[str, Copy]) -> None:
    table = Table("store", "is", "hears the first site", "behind")
    for name, copy in found.items():
        role = "the first itself" if copy.is_first else "a copy"
        table.add_row(name, role, "yes" if copy.hears_the_first else "no", f"{copy.seconds_behind:.1f} s")
    console.print(table)
