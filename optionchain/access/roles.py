"""Who may do what: the roles of callers, and what each permits. Which route needs what is a table of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

# Plain texts, for they travel with every call, and an enumeration costs more to pickle.
VIEWER, TRADER, RESEARCHER, OPERATOR, ADMIN = "viewer", "trader", "researcher", "operator", "admin"
CALLER = "caller"
"""Of a key in the settings that names no role: whatever concerns nobody else."""


class Permission(StrEnum):
    """What a caller is permitted to do."""

    PUBLIC = "public"
    """What needs no permission: who calls is not even looked at."""
    IDENTIFY = "identify"
    """Learn who one is, and hand the own key to a browser; whoever may do anything may do that."""
    READ = "read"
    """Look at history, configurations, and what the own tenant has made."""
    TRADE = "trade"
    """Make, step, change and delete sessions and simulations."""
    RESEARCH = "research"
    """Start and cancel sweeps."""
    METRICS = "metrics"
    """Read the metrics of the whole cluster."""
    OPERATE = "operate"
    """See the cluster: nodes, actors, and what they hold."""
    ADMINISTER = "administer"
    """Change what concerns all tenants: keys, configurations, history."""


SCOPES = tuple(each for each in Permission if each not in {Permission.PUBLIC, Permission.IDENTIFY})
"""What a key may be narrowed to, whatever else its roles permit."""
_SCOPED: Mapping[Permission, str] = {scope: f"only:{scope}" for scope in SCOPES}

_WHO, _READ, _METRICS = Permission.IDENTIFY, Permission.READ, Permission.METRICS
GRANTS: Mapping[str, frozenset[Permission]] = {
    VIEWER: frozenset({_WHO, _READ}),
    TRADER: frozenset({_WHO, _READ, Permission.TRADE}),
    RESEARCHER: frozenset({_WHO, _READ, Permission.TRADE, Permission.RESEARCH}),
    OPERATOR: frozenset({_WHO, _METRICS, Permission.OPERATE}),
    CALLER: frozenset({_WHO, _READ, Permission.TRADE, Permission.RESEARCH, _METRICS}),
    ADMIN: frozenset(Permission) - {Permission.PUBLIC},
    **{role: frozenset({_WHO, scope}) for scope, role in _SCOPED.items()},
}
"""What each role permits; a caller of several roles may do what any of them permits."""

ADMITTED: Mapping[Permission, frozenset[str]] = {
    permission: frozenset(role for role, granted in GRANTS.items() if permission in granted)
    for permission in Permission
}
"""The same, by permission: the roles that have it."""

GIVEN_ROLES = (VIEWER, TRADER, RESEARCHER, OPERATOR, ADMIN)
"""The roles that can be given to somebody by name."""


def roles_with(permission: Permission) -> list[str]:
    """The roles that can be given and that have a permission, by name."""
    return sorted(ADMITTED[permission].intersection(GIVEN_ROLES))


def read_roles(names: Iterable[str]) -> frozenset[str]:
    """Roles by their names.

    Raises:
        ValueError: There are none, or one is unknown.
    """
    roles = frozenset(names)
    if not roles or not roles.issubset(GIVEN_ROLES):
        raise ValueError(f"roles are {', '.join(GIVEN_ROLES)}")
    return roles


def read_scopes(names: Iterable[str], roles: frozenset[str]) -> frozenset[str]:
    """What somebody of some roles is narrowed to, by the names of permissions; empty for nothing less than the roles.

    Raises:
        ValueError: One is unknown, or none of the roles permits it.
    """
    scopes = frozenset(names)
    if not scopes.issubset(SCOPES):
        raise ValueError(f"scopes are {', '.join(SCOPES)}")
    granted = frozenset(permission for role in roles for permission in GRANTS[role])
    if beyond := sorted(scopes - granted):
        raise ValueError(f"{beyond[0]} is nothing that {' and '.join(sorted(roles))} may do")
    return scopes


def narrowed(roles: frozenset[str], scopes: frozenset[str]) -> frozenset[str]:
    """The roles of somebody who may do what the scopes name and no more; without scopes, the roles themselves."""
    return frozenset(_SCOPED[Permission(scope)] for scope in scopes) if scopes else roles


def in_words(roles: Iterable[str], scopes: Iterable[str]) -> str:
    """What somebody may do, for people: ``researcher, only read``."""
    only = ", ".join(sorted(scopes))
    return ", ".join(sorted(roles)) + (f", only {only}" if only else "")
