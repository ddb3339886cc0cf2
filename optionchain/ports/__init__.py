"""The ports: what the application needs of the outside, in its own words. Adapters satisfy them."""

from optionchain.ports.audit import AuditQuery, AuditRepository
from optionchain.ports.configuration import ConfigRepository
from optionchain.ports.dependencies import Breaker, Cached, CacheEntry, CacheService, Dependency
from optionchain.ports.history import HistoricalDataRepository
from optionchain.ports.identity import Authentication, DenialRepository, Issuer, KeyRepository, Notices
from optionchain.ports.one_time import OneTime
from optionchain.ports.quotas import Portion, QuotaCounts, QuotaRepository
from optionchain.ports.requests import Allowance, Allowances, Answers, KeyReused
from optionchain.ports.sealing import Sealing
from optionchain.ports.sessions import ActivePage, Checkpoint, SessionStore
from optionchain.ports.tasks import RunQueue, Scheduler

__all__ = [
    "ActivePage",
    "Allowance",
    "Allowances",
    "Answers",
    "AuditQuery",
    "AuditRepository",
    "Authentication",
    "Breaker",
    "CacheEntry",
    "CacheService",
    "Cached",
    "Checkpoint",
    "ConfigRepository",
    "DenialRepository",
    "Dependency",
    "HistoricalDataRepository",
    "Issuer",
    "KeyRepository",
    "KeyReused",
    "Notices",
    "OneTime",
    "Portion",
    "QuotaCounts",
    "QuotaRepository",
    "RunQueue",
    "Scheduler",
    "Sealing",
    "SessionStore",
]
