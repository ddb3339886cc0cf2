"""The command line of the audit log: ``optionchain audit verify``. It reads MongoDB itself, and trusts no service."""

from __future__ import annotations

import asyncio

import typer

from adapters.mongo.audit import MongoAudit
from adapters.mongo.connection import open_mongo
from cluster.api_keys import kept_key
from cluster.audit.verifying import Verified, verified
from cluster.commands.calling import Data, console
from cluster.instance.completed_settings import AUDIT_KEY, with_audit_key, with_mongo
from cluster.instance.instance import Instance
from cluster.instance.problem import InstanceProblem
from cluster.settings import Settings, load_settings
from optionchain.errors import Unavailable

app = typer.Typer(name="audit", help="The record of who did what.", no_args_is_help=True)


@app.callback()
def audit() -> None:
    """The record of who did what; `GET /api/v1/audit` shows it."""


@app.command()
def verify(data: Data = None) -> None:
    """Look whether anything that is on record was changed or left out; exit code 1 where it was."""
    settings = load_settings()
    if data is not None:
        settings = settings.with_changes({"data": {"folder": data}})
    settings = _of_what_runs(settings)
    try:
        found = asyncio.run(_verified(settings))
    except Unavailable as error:
        raise InstanceProblem(str(error)) from error
    for problem in found.problems:
        console.print(problem, style="red", markup=False)
    unsigned = (
        ""
        if settings.audit.key.get_secret_value()
        else " OCS_AUDIT_KEY is not set: no signature was looked at."
    )
    console.print(
        f"{found.entries} entries, {found.chains} chains, {len(found.problems)} problems.{unsigned}"
    )
    if found.problems:
        raise typer.Exit(1)


def _of_what_runs(settings: Settings) -> Settings:
    """The settings with the server and the key of the instance that runs here, unless they have their own."""
    if settings.mongo.uri is not None:
        return settings
    state = Instance(settings).state()
    if state is None:
        raise InstanceProblem(
            "Nothing is running here: `optionchain up` starts it, or OCS_MONGO_URI says where the record is."
        )
    signed = with_audit_key(settings, kept_key(settings.data.folder / AUDIT_KEY))
    return with_mongo(signed, state.mongo_uri)


async def _verified(settings: Settings) -> Verified:
    client = open_mongo(settings.mongo)
    try:
        return await verified(
            MongoAudit(client, settings.mongo.database), settings.audit.key.get_secret_value()
        )
    finally:
        await client.close()
