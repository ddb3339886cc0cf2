"""The HTTP service in the process of a test, over whichever services the test has."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from starlette.types import ASGIApp

from cluster.settings import Settings
from optionchain.access.roles import ADMIN
from optionchain.context import Principal
from optionchain.observing import Unobserved
from serve_app.asgi import build_asgi
from serve_app.edge.on_record import Unrecorded
from serve_app.handling.streaming import Producers
from tests.callers import principal


class ByName:
    """The `Authentication` of tests: a key is the name of a tenant, or `anna:admin` for an administrator.

    Args:
        default: Who calls without a key.
    """

    def __init__(self, default: str) -> None:
        self._default = default

    async def principal(self, secret: str | None) -> Principal | None:
        name, _, role = (secret or self._default).partition(":")
        return principal(name, is_admin=role == ADMIN)


def service_of(default_caller: str, **services: Any) -> ASGIApp:
    """The service; a route whose services are not given fails as a bug does."""
    settings = Settings()
    own = {
        "authentication": ByName(default_caller),
        "allowances": None,
        "strangers": None,
        "quotas": None,
        "record": Unrecorded(),
        "observer": Unobserved(),
        "producers": Producers(settings.http, Unobserved()),
    }
    given: Any = SimpleNamespace(**{**own, **services})
    return build_asgi(settings, given)
