"""The calls of both surfaces as values: what is sent is decided here, how it is sent by the transports."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from optionchain_client.parameters import Greeks


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One call; sent again, it is the same call.

    Attributes:
        idempotency_key: Under which the server recognises a repetition and gives the first answer again.
    """

    method: str
    path: str
    query: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None
    idempotency_key: str | None = None

    @property
    def sent_query(self) -> dict[str, Any] | None:
        """The query without what was not given."""
        if self.query is None:
            return None
        return {name: value for name, value in self.query.items() if value is not None}

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Routes(Protocol):
    """Where the calls of one surface go."""

    def create(self, parameters: Mapping[str, Any]) -> ApiRequest: ...

    def peek(self, session_id: str, greeks: Greeks) -> ApiRequest: ...

    def step(
        self, session_id: str, *, expected_step: int | None, count: int | None, greeks: Greeks
    ) -> ApiRequest: ...

    def delete(self, session_id: str) -> ApiRequest: ...

    def export(self, session_id: str, query: Mapping[str, Any]) -> ApiRequest: ...

    def page(self, page: int, limit: int) -> ApiRequest: ...


class ChainRoutes:
    """HTTP v1: sessions."""

    def create(self, parameters: Mapping[str, Any]) -> ApiRequest:
        return _keyed("/api/v1/chain", body=parameters)

    def peek(self, session_id: str, greeks: Greeks) -> ApiRequest:
        return ApiRequest(
            method="GET", path="/api/v1/chain", query={"sessionid": session_id, "greeks": greeks}
        )

    def step(
        self, session_id: str, *, expected_step: int | None, count: int | None, greeks: Greeks
    ) -> ApiRequest:
        query = {"sessionid": session_id, "expected_step": expected_step, "count": count, "greeks": greeks}
        return _keyed("/api/v1/chain/step", query=query)

    def change(self, session_id: str, changes: Mapping[str, Any]) -> ApiRequest:
        return ApiRequest(method="PATCH", path="/api/v1/chain", query={"sessionid": session_id}, body=changes)

    def replace(self, session_id: str, parameters: Mapping[str, Any]) -> ApiRequest:
        return ApiRequest(
            method="PUT", path="/api/v1/chain", query={"sessionid": session_id}, body=parameters
        )

    def delete(self, session_id: str) -> ApiRequest:
        return ApiRequest(method="DELETE", path="/api/v1/chain", query={"sessionid": session_id})

    def export(self, session_id: str, query: Mapping[str, Any]) -> ApiRequest:
        return ApiRequest(method="GET", path="/api/v1/chain/export", query={"sessionid": session_id, **query})

    def page(self, page: int, limit: int) -> ApiRequest:
        return ApiRequest(method="GET", path="/api/v1/chain/sessions", query={"page": page, "limit": limit})


class SimulationRoutes:
    """HTTP v2: simulations."""

    def create(self, parameters: Mapping[str, Any]) -> ApiRequest:
        return _keyed("/api/v2/simulations", body=parameters)

    def show(self, session_id: str) -> ApiRequest:
        return ApiRequest(method="GET", path=f"/api/v2/simulations/{session_id}")

    def peek(self, session_id: str, greeks: Greeks) -> ApiRequest:
        return ApiRequest(
            method="GET", path=f"/api/v2/simulations/{session_id}/snapshot", query={"greeks": greeks}
        )

    def step(
        self, session_id: str, *, expected_step: int | None, count: int | None, greeks: Greeks
    ) -> ApiRequest:
        query = {"expected_step": expected_step, "count": count, "greeks": greeks}
        return _keyed(f"/api/v2/simulations/{session_id}/step", query=query)

    def delete(self, session_id: str) -> ApiRequest:
        return ApiRequest(method="DELETE", path=f"/api/v2/simulations/{session_id}")

    def export(self, session_id: str, query: Mapping[str, Any]) -> ApiRequest:
        return ApiRequest(method="GET", path=f"/api/v2/simulations/{session_id}/export", query=query)

    def page(self, page: int, limit: int) -> ApiRequest:
        return ApiRequest(method="GET", path="/api/v2/simulations", query={"page": page, "limit": limit})


def _keyed(path: str, **parts: Mapping[str, Any]) -> ApiRequest:
    return ApiRequest(method="POST", path=path, idempotency_key=str(uuid.uuid4()), **parts)
