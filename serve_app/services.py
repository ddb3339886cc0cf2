"""What the routes use: opened once in each replica."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Request

from actors.calendars import Calendars
from actors.configuration.live import LiveConfiguration
from actors.sessions.gateway import SessionGateway
from cluster.history_stores import HistoryStores
from cluster.identity.held_denials import DenialService
from cluster.identity.key_service import KeyService
from cluster.identity.sign_in_codes import SignInCodes
from cluster.quotas.keeping import Quotas
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
from serve_app.handling.streaming import Producers
from serve_app.shared_services import ConfigService, HistoryService

if TYPE_CHECKING:
    from cluster.instance.report import ClusterReport


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a browser signs in.

    Attributes:
        codes: Work once.
        needs_key: Whether requests need a key at all.
        issuer: Of the tokens that are accepted; empty for none.
        client_id: Of the page, at that issuer; empty for none.
    """

    codes: SignInCodes
    needs_key: bool = True
    issuer: str = ""
    client_id: str = ""

    @property
    def page_issuer(self) -> str:
        """The issuer at which the page may sign in; empty for none."""
        return self.issuer if self.client_id else ""


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
        sign_in: How a browser signs in.
        keys: Makes, lists and revokes API keys.
        denials: Denies tokens.
        quotas: Keeps tenants within their quotas; None where quotas are off.
        record: Takes what is put on record.
        audit: What is on record.
        dependencies: What it cannot serve without, by name; /ready asks them.
        helpers: What /ready asks as well, by name: without them sessions and cached reads go on.
        producers: Computes downloads and streams.
        limits: What one simulation may ask for.
        links: What the page links to beside itself, by name.
        is_strict: Whether unknown fields of v1 are refused.
        stores: Where files of history go; None where there are no stores.
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
    sign_in: SignIn
    keys: KeyService
    denials: DenialService
    quotas: Quotas | None
    record: Record
    audit: AuditRepository
    dependencies: dict[str, Dependency]
    helpers: dict[str, Dependency]
    producers: Producers
    limits: LimitsSettings
    is_strict: bool
    links: Mapping[str, str]
    stores: HistoryStores | None
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
