"""The command line of backups: ``optionchain backup create | list | verify | restore | prune``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Column, Table

from adapters.copies import Wanted
from cluster.backup.jobs import (
    create_all,
    is_sealed_by_kept_key,
    keyring_of,
    pruned,
    restore_from,
    verify_in,
)
from cluster.backup.place import Known, Place, chosen
from cluster.backup.reached import Reached
from cluster.backup.restoring import Restored, Restoring
from cluster.backup.retention import Retention
from cluster.commands.calling import Data, console
from cluster.instance.completed_settings import ENCRYPTION_KEY
from cluster.instance.problem import InstanceProblem
from cluster.instance.processes import ProcessFailed
from cluster.settings import Settings, load_settings
from optionchain.errors import InvalidInput, OptionChainError
from optionchain.wire.instants import instant_from_wire, instant_to_wire

app = typer.Typer(
    name="backup", help="Copies of all that is stored, proven to come back.", no_args_is_help=True
)

From = Annotated[
    str | None,
    typer.Option("--from", help="Folder or URL where the backups are; else the first of OCS_BACKUP_TO."),
]
Id = Annotated[
    str | None, typer.Option("--backup", help="Its id, as `backup list` shows it; else the latest.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead.")]


@app.command()
def create(
    to: Annotated[
        list[str] | None,
        typer.Option("--to", help="Folder or URL, such as s3://bucket/backups; may be given several times."),
    ] = None,
    megabytes_per_second: Annotated[
        float | None, typer.Option(min=0.0, help="As fast at most; 0 for no bound.")
    ] = None,
    full: Annotated[
        bool,
        typer.Option("--full", help="Everything, and not only what the latest backup there does not hold."),
    ] = False,
    data: Data = None,
) -> None:
    """Save all, or what has changed; what was interrupted is gone on with. Exit code 1 where a place has failed."""
    settings = _settings(data)
    if megabytes_per_second is not None:
        settings = settings.with_changes({"backup": {"megabytes_per_second": megabytes_per_second}})
    places = tuple(to or settings.backup.places)
    if not places:
        raise InstanceProblem(
            "--to or OCS_BACKUP_TO must say where backups go: a folder, or s3://bucket/backups"
        )
    with _friendly():
        reached = Reached.by(settings)
        made = asyncio.run(create_all(reached, places, keyring_of(settings), is_whole=full))
    for url, outcome in made.items():
        if isinstance(outcome, OptionChainError):
            console.print(f"{url}: {outcome}", style="red", markup=False, soft_wrap=True)
            continue
        since = f"  since {outcome.base}" if outcome.base else ""
        told = f"{outcome.id}  {_what(outcome.counts)}  in {url}{since}"
        console.print(told, highlight=False, markup=False, soft_wrap=True)
        if outcome.not_saved:
            console.print(f"Not saved, for this release does not know them: {', '.join(outcome.not_saved)}")
    if is_sealed_by_kept_key(settings):
        console.print(
            f"Encrypted by the key in {settings.data.folder / ENCRYPTION_KEY}: keep a copy of that file elsewhere. "
            "Who loses both it and the data folder cannot open the backup.",
            style="yellow",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    if any(isinstance(outcome, OptionChainError) for outcome in made.values()):
        raise typer.Exit(1)


@app.command("list")
def listed(from_: From = None, as_json: AsJson = False, data: Data = None) -> None:
    """Show the backups of a place, the oldest first."""
    settings = _settings(data)
    with _friendly():
        place = _place(settings, from_)
        known = place.known(keyring_of(settings))
    if as_json:
        print(json.dumps([_facts(each) for each in known]))
        return
    if not known:
        console.print(f"No backup is complete in {place.url}.", highlight=False, markup=False, soft_wrap=True)
        return
    whole = Column("id", no_wrap=True, min_width=len("20260105T143000Z-0000"))
    table = Table(whole, "since", "items", "bytes", "consistent", "encrypted by", "verified")
    for each in known:
        if each.manifest is None:
            table.add_row(each.id, f"[red]{each.problem}[/]")
        else:
            facts = _facts(each)
            items = f"{sum(each.manifest.counts.values()):,}"
            table.add_row(
                each.id,
                each.manifest.base or "the beginning",
                items,
                f"{each.manifest.size:,}",
                facts["consistent"],
                facts["sealed_by"] or "nothing",
                facts["verified_at"] or "never",
            )
    console.print(table)


@app.command()
def verify(from_: From = None, backup: Id = None, data: Data = None) -> None:
    """Restore a backup into servers of its own, compare every item, replay sessions, and keep that it was proven."""
    settings = _settings(data)
    with _friendly():
        place, keyring = _place(settings, from_), keyring_of(settings)
        which = chosen(place.complete(), backup, None)
        proven = asyncio.run(verify_in(place, which, keyring, _reached_or_none(settings)))
    console.print(
        f"{proven.manifest.id} comes back: {proven.items:,} items compared, {proven.replayed} sessions replayed."
    )


@app.command()
def restore(
    from_: From = None,
    backup: Id = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="The latest backup begun by then: 2026-01-05T14:30:00Z.")
    ] = None,
    session: Annotated[list[str] | None, typer.Option("--session", help="Only this session.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only the sessions of this owner.")] = None,
    asset: Annotated[str | None, typer.Option("--asset", help="Only the history of this asset.")] = None,
    configuration: Annotated[str | None, typer.Option("--configuration", help="Only this one.")] = None,
    version: Annotated[int | None, typer.Option("--version", min=1, help="Of the configuration.")] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="Onto stores in use: only what is missing or older there.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Onto stores in use: overwrite what is newer there, too.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    data: Data = None,
) -> None:
    """Bring back all that a backup holds into empty stores, or a part of it into the stores of a running service."""
    settings = _settings(data)
    wanted = Wanted(
        sessions=frozenset(session or ()),
        owner=owner,
        asset=asset,
        configuration=configuration,
        version=version,
    )
    how = Restoring(
        wanted=wanted, overwrites=force, adds=missing, is_trial=dry_run, keyring=keyring_of(settings)
    )
    with _friendly():
        if version is not None and configuration is None:
            raise InvalidInput("version", "is of a --configuration, which is not named")
        instant = None if as_of is None else instant_from_wire("as-of", as_of)
        place = _place(settings, from_)
        which = chosen(place.complete(), backup, instant)
        restored = asyncio.run(restore_from(Reached.by(settings), place, which, how))
    _show_restored(which, restored, is_trial=dry_run)


@app.command()
def prune(
    from_: From = None,
    keep: Annotated[
        str | None, typer.Option("--keep", help="The latest of so many hours,days,weeks,months.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which, and remove none.")] = False,
    data: Data = None,
) -> None:
    """Remove backups that need not be kept; never the latest, nor the latest that is verified."""
    settings = _settings(data)
    with _friendly():
        retention = Retention.of(keep or settings.backup.keep)
        gone = pruned(_place(settings, from_), retention, now=datetime.now(UTC), is_trial=dry_run)
    for backup in gone:
        console.print(backup, highlight=False)
    console.print(f"{len(gone)} {'would be removed' if dry_run else 'removed'}.")


def _settings(data: object) -> Settings:
    settings = load_settings()
    return settings.with_changes({"data": {"folder": data}}) if data is not None else settings


def _reached_or_none(settings: Settings) -> Reached | None:
    """A backup can be proven where its stores are lost, too."""
    with suppress(InstanceProblem):
        return Reached.by(settings)
    return None


def _place(settings: Settings, url: str | None) -> Place:
    where = url or next(iter(settings.backup.places), None)
    if where is None:
        raise InvalidInput("from", "or OCS_BACKUP_TO must say where the backups are")
    return Place(where, "from")


@contextmanager
def _friendly() -> Iterator[None]:
    """An error of ours becomes one message."""
    try:
        yield
    except (OptionChainError, ProcessFailed) as error:
        raise InstanceProblem(str(error)) from error


def _facts(known: Known) -> dict[str, str | None]:
    manifest = known.manifest
    told: dict[str, str | None] = {"id": known.id, "problem": known.problem or None}
    if manifest is None:
        return told
    return told | {
        "consistent": "point in time" if manifest.is_point_in_time else "item by item",
        "base": manifest.base,
        "sealed_by": manifest.sealed_by,
        "release": manifest.release,
        "numerics": manifest.numerics,
        "started_at": instant_to_wire(manifest.started_at),
        "ended_at": instant_to_wire(manifest.ended_at),
        "verified_at": None if known.verified_at is None else instant_to_wire(known.verified_at),
    }


def _what(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count) or "nothing is stored"


def _show_restored(backup: str, restored: Restored, *, is_trial: bool) -> None:
    table = Table(
        "", "would be restored" if is_trial else "restored", "the same already", "kept: newer, or changed"
    )
    for kind, counts in restored.counts.items():
        if counts.total():
            table.add_row(kind, *(f"{counts[name]:,}" for name in ("restored", "same", "kept")))
    console.print(f"Of backup {backup}:", highlight=False)
    console.print(table)
    for conflict in restored.conflicts:
        console.print(conflict, style="yellow", markup=False, highlight=False)
