"""The ports: what the application needs of the outside, in its own words. Adapters satisfy them."""

from optionchain.ports.configuration import ConfigRepository
from optionchain.ports.dependencies import Breaker, Cached, CacheEntry, CacheService, Dependency
from optionchain.ports.history import HistoricalDataRepository
from optionchain.ports.identity import Authentication
from optionchain.ports.requests import Allowance, Allowances, Answers, KeyReused
from optionchain.ports.sessions import ActivePage, Checkpoint, SessionStore
from optionchain.ports.work import Lease, Work, WorkLine

__all__ = [
    "ActivePage",
    "Allowance",
    "Allowances",
    "Answers",
    "Authentication",
    "Breaker",
    "CacheEntry",
    "CacheService",
    "Cached",
    "Checkpoint",
    "ConfigRepository",
    "Dependency",
    "HistoricalDataRepository",
    "KeyReused",
    "Lease",
    "SessionStore",
    "Work",
    "WorkLine",
]
