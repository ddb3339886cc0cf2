"""The kinds `backup` and `backup_verify`: what `optionchain backup create`, `prune` and `verify` do, by schedule."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cluster.backup.jobs import create_all, keyring_of, pruned, verify_in
from cluster.backup.place import Place, chosen
from cluster.backup.priority import give_way
from cluster.backup.reached import Reached
from cluster.backup.retention import Retention
from cluster.settings import Settings
from cluster.tasks.kind import TaskParameters, kind
from cluster.tasks.work import Work
from optionchain.access.roles import Permission
from optionchain.errors import InvalidInput, OptionChainError


class ConfiguredPlaces(TaskParameters):
    """There are none: where backups go is a setting, so that no caller sends everything that is stored elsewhere."""

    def check(self, settings: Settings) -> None:
        """As `TaskParameters.check`."""
        if not settings.backup.places:
            raise InvalidInput("", "cannot be scheduled: OCS_BACKUP_TO does not say where backups go")


def back_up(work: Work, _: ConfiguredPlaces) -> Mapping[str, Any]:
    """Save in every place, and remove what need not be kept there.

    Raises:
        OptionChainError: Of a place that failed, once the others are done.
    """
    give_way()
    settings = work.settings
    made = asyncio.run(create_all(Reached.by(settings), settings.backup.places, keyring_of(settings)))
    saved, failures = {}, []
    for url, outcome in made.items():
        if isinstance(outcome, OptionChainError):
            work.say(f"{url}: {outcome}")
            failures.append(outcome)
        else:
            saved[url] = outcome.id
            pruned(Place(url, "to"), Retention.of(settings.backup.keep), now=datetime.now(UTC))
    if failures:
        raise failures[0]
    return {"saved": saved}


def prove(work: Work, _: ConfiguredPlaces) -> Mapping[str, Any]:
    """Prove that the latest backup of each place comes back."""
    settings = work.settings
    reached, proven = Reached.by(settings), {}
    for url in settings.backup.places:
        work.check()
        place = Place(url, "from")
        which = chosen(place.complete(), None, None)
        verified = asyncio.run(verify_in(place, which, keyring_of(settings), reached))
        proven[url] = {"backup": which, "items": verified.items, "replayed": verified.replayed}
    return {"verified": proven}


BACKUP = kind(
    "backup",
    "Save all that is stored in the places of the settings, and prune what need not be kept there",
    ConfiguredPlaces,
    back_up,
    permission=Permission.ADMINISTER,
)
BACKUP_VERIFY = kind(
    "backup_verify",
    "Prove that the latest backup of each place comes back",
    ConfiguredPlaces,
    prove,
    permission=Permission.ADMINISTER,
)
