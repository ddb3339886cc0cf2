"""Every metric there is, a row each; nothing else lists them."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.metrics.rows import Row
from adapters.metrics.service import ACCESS, REQUESTS, SESSIONS, SWEEPS
from adapters.metrics.surroundings import BACKUPS, PROCESSES, SERVERS, STORES
from adapters.metrics.tasks import TASKS

METRICS: Sequence[Row] = (
    *REQUESTS,
    *ACCESS,
    *SESSIONS,
    *STORES,
    *SERVERS,
    *BACKUPS,
    *SWEEPS,
    *TASKS,
    *PROCESSES,
)
