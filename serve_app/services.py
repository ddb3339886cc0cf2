"""What the routes use: opened once in each replica."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from actors.session_gateway import SessionGateway
from optionchain.ports import Dependency, SessionStore


@dataclass(frozen=True, slots=True)
class Services:
    """The application behind the routes.

    Attributes:
        gateway: Reaches the actors that hold sessions.
        store: Lists sessions.
        dependencies: What /ready asks, by name.
    """

    gateway: SessionGateway
    store: SessionStore
    dependencies: dict[str, Dependency]


def services_of(request: Request) -> Services:
    """The services of this replica."""
    services: Services = request.app.state.services
    return services


async def current_services(request: Request) -> Services:
    """The services of this replica, as a dependency; async, for FastAPI runs others in a thread."""
    return services_of(request)
