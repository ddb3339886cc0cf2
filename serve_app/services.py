"""What the routes use: opened once in each replica."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Request

from actors.calendars import Calendars
from actors.configuration.live import LiveConfiguration
from actors.sessions.gateway import SessionGateway
from cluster.identity.held_denials import DenialService
from cluster.identity.key_service import KeyService
from cluster.settings import LimitsSettings
from cluster.sweeps.gateway import Sweeps
from cluster.tasks.service import TaskService
from optionchain.observing import Observer
from optionchain.ports import (
    Allowances,
    Answers,
    AuditRepository,
    Authentication,
    Dependency,
    SessionStore,
)
from serve_app.edge.on_record import Record
from serve_app.routes.streaming import Producers
from serve_app.shared_services import ConfigService, HistoryService

if TYPE_CHECKING:
    from cluster.instance.report import ClusterReport


@dataclass(frozen=True, slots=True)
class Services:
    """The application behind the routes.

    Attributes:
        observer: Told what happens here.
        gateway: Reaches the actors that hold sessions.
        store: Lists sessions.
        calendars: Provides those of exchanges.
        answers: Keeps the first answers to keyed requests.
        allowances: Counts the requests of each caller; None where there is no limit.
        strangers: Counts those of addresses without a key that works; None where there is no limit of their own.
        authentication: Finds the caller of a secret.
        keys: Makes, lists and revokes API keys.
        denials: Denies tokens.
        record: Takes what is put on record.
        audit: What is on record.
        dependencies: What it cannot serve without, by name; /ready asks them.
        helpers: What /ready asks as well, by name: without them sessions and cached reads go on.
        producers: Computes downloads and streams.
        limits: What one simulation may ask for.
        is_strict: Whether unknown fields of v1 are refused.
        history: The chains and prices of the past.
        configurations: Named configurations and their versions.
        live_configuration: The configuration of new sessions, at most half a second old.
        sweeps: Runs the sweeps of callers.
        tasks: Schedules the tasks of callers.
        metrics: Prometheus text of the whole cluster.
        report: Its nodes and session actors.
    """

    observer: Observer
    gateway: SessionGateway
    store: SessionStore
    calendars: Calendars
    answers: Answers
    allowances: Allowances | None
    strangers: Allowances | None
    authentication: Authentication
    keys: KeyService
    denials: DenialService
    record: Record
    audit: AuditRepository
    dependencies: dict[str, Dependency]
    helpers: dict[str, Dependency]
    producers: Producers
    limits: LimitsSettings
    is_strict: bool
    history: HistoryService
    configurations: ConfigService
    live_configuration: LiveConfiguration
    sweeps: Sweeps
    tasks: TaskService
    metrics: Callable[[], Awaitable[bytes]]
    report: Callable[[], Awaitable[ClusterReport]]


def services_of(request: Request) -> Services:
    """The services of this replica."""
    services: Services = request.app.state.services
    return services


async def current_services(request: Request) -> Services:
    """The services of this replica, as a dependency; async, for FastAPI runs others in a thread."""
    return services_of(request)
