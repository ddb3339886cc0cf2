"""Callers for tests: what travels with their calls."""

from __future__ import annotations

import math

from optionchain.access.roles import ADMIN, CALLER
from optionchain.context import Context, Principal


def principal(tenant: str, *, is_admin: bool = False) -> Principal:
    """A caller of a tenant."""
    return Principal(tenant, tenant, frozenset({ADMIN if is_admin else CALLER}))


def on_behalf_of(tenant: str, expires_at: float = math.inf) -> Context:
    """What travels with a call of a tenant."""
    return Context(principal(tenant), expires_at)
