"""On whose behalf something is done, until when, and in which trace: made at the edge, carried by every call."""

from __future__ import annotations

import math
from typing import NamedTuple

from optionchain.access.roles import ADMIN, ADMITTED, Permission

_SAMPLED = tuple("13579bdf")


class Principal(NamedTuple):
    """An authenticated caller. A tuple, for it costs less to pickle than a dataclass.

    Attributes:
        tenant: Whom everything that it makes belongs to.
        subject: Who it is within the tenant: the name of a key, or of a person.
        roles: Of `optionchain.access.roles`; without any it may do nothing.
    """

    tenant: str
    subject: str
    roles: frozenset[str] = frozenset()

    def may(self, permission: Permission) -> bool:
        """Whether one of its roles permits that."""
        return not self.roles.isdisjoint(ADMITTED[permission])


OURSELVES = Principal("optionchain", "optionchain", frozenset({ADMIN}))
"""Who does what nobody asked for: housekeeping, warming, taking up again after a restart."""


class Context(NamedTuple):
    """What travels with a call beside its arguments.

    Attributes:
        principal: On whose behalf.
        expires_at: Unix time in seconds at which the caller gives up; whoever gets to it later does not begin it.
        trace: The W3C `traceparent` of the span that the call is part of; empty where nothing is traced.
    """

    principal: Principal
    expires_at: float = math.inf
    trace: str = ""

    @property
    def is_followed(self) -> bool:
        """Whether somebody keeps the spans of its trace: the lowest bit of the flags that end the `traceparent`."""
        return self.trace.endswith(_SAMPLED)

    def until(self, instant: float) -> Context:
        """The same for a caller who waits no longer than until a Unix time, in seconds."""
        return Context(self.principal, min(self.expires_at, instant), self.trace)

    def seconds_left(self, now: float) -> float:
        """How long the caller still waits at a Unix time, >= 0."""
        return max(self.expires_at - now, 0.0)


HOUSEKEEPING = Context(OURSELVES)
"""Of work that nobody waits for."""
