"""Which requests are put on record, and as what: administrators' acts, failed sign-ins, and what was not permitted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from fastapi import Request
from starlette.types import Scope

from optionchain.access.audit import AuditEntry
from optionchain.observing import Operation
from optionchain.wire.instants import whole_milliseconds
from serve_app.edge.client_address import Address

ON = "audited_on"
# Of what a caller made up.
LONGEST = 200
CLIENT_LEFT = 499


class Record(Protocol):
    """Takes entries, and keeps nobody waiting."""

    def act(self, entry: AuditEntry) -> None:
        """What an administrator did, or tried."""
        ...

    def refusal(self, entry: AuditEntry) -> None:
        """That a caller was refused for who it is."""
        ...


class Unrecorded:
    """Nothing is put on record."""

    def act(self, entry: AuditEntry) -> None:
        pass

    def refusal(self, entry: AuditEntry) -> None:
        pass


def acted_on(request: Request, what: str) -> None:
    """Say what a request was about, beside its path, for the record."""
    request.scope["state"][ON] = what


def entry_of(scope: Scope, told: Operation, address: Address | None) -> AuditEntry:
    """A request as an entry.

    Args:
        scope: Of the request.
        told: What the observer is told of it.
        address: Where it came from.
    """
    what = scope.get("state", {}).get(ON, "")
    principal, facts = told.context.principal, told.facts
    return AuditEntry(
        at=whole_milliseconds(datetime.now(UTC)),
        action=f"{facts['method']} {facts['route']}",
        target=_plain(f"{scope['path']} {what}".rstrip()),
        tenant=principal.tenant,
        subject=principal.subject,
        address=str(address or "unknown"),
        status=int(facts.get("status") or CLIENT_LEFT),
        request_id=_plain(str(facts.get("request_id", ""))),
    )


def _plain(text: str) -> str:
    """What is told of a text that a caller made up: short, and nothing in it that a terminal or a store would obey."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text[:LONGEST])
