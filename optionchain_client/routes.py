"""Where the calls of sessions and of simulations go: the same calls, on two surfaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from optionchain_client.parameters import Greeks
from optionchain_client.requests import ApiRequest, keyed_post, reading, segment

CHAIN = "/api/v1/chain"
SIMULATIONS = "/api/v2/simulations"


class Routes(Protocol):
    """The calls that both surfaces have."""

    def create(self, parameters: Mapping[str, Any]) -> ApiRequest: ...

    def peek(self, session_id: str, greeks: Greeks) -> ApiRequest: ...

    def step(
        self, session_id: str, *, expected_step: int | None, count: int | None, greeks: Greeks
    ) -> ApiRequest: ...

    def delete(self, session_id: str) -> ApiRequest: ...

    def export(self, session_id: str, query: Mapping[str, Any]) -> ApiRequest: ...

    def fan(self, session_id: str, query: Mapping[str, Any]) -> ApiRequest: ...

    def activity(self, session_id: str, query: Mapping[str, Any]) -> ApiRequest: ...


class ChainRoutes:
    """HTTP v1: sessions."""

    page = CHAIN + "/sessions"

    def create(self, parameters: Mapping[str, Any]) -> ApiRequest:
        return keyed_post(CHAIN, body=parameters)

    def peek(self, session_id: str, greeks: Greeks) -> ApiRequest:
        return reading(CHAIN, sessionid=session_id, greeks=greeks)

    def step(
        self, session_id: str, *, expected_step: int | None, count: int | None, greeks: Greeks
    ) -> ApiRequest:
        query = {"sessionid": session_id, "expected_step": expected_step, "count": count, "greeks": greeks}
        return keyed_post(CHAIN + "/step", query=query)

    def change(self, session_id: str, changes: Mapping[str, Any]) -> ApiRequest:
        return ApiRequest(method="PATCH", path=CHAIN, query={"sessionid": session_id}, body=changes)

    def replace(self, session_id: str, parameters: Mapping[str, Any]) -> ApiRequest:
        return ApiRequest(method="PUT", path=CHAIN, query={"sessionid": session_id}, body=parameters)

    def delete(self, session_id: str) -> ApiRequest:
        return ApiRequest(method="DELETE", path=CHAIN, query={"sessionid": session_id})

    def export(self, session_id: str, query: Mapping[str, Any]) -> ApiRequest:
        return reading(CHAIN + "/export", sessionid=session_id, **query)

    def fan(self, session_id: str, query: Mapping[str, Any]) -> ApiRequest:
        return reading(CHAIN + "/fan", sessionid=session_id, **query)

    def activity(self, session_id: str, query: Mapping[str, Any]) -> ApiRequest:
        return reading(CHAIN + "/activity", sessionid=session_id, **query)


class SimulationRoutes:
    """HTTP v2: simulations."""

    page = SIMULATIONS

    def create(self, parameters: Mapping[str, Any]) -> ApiRequest:
        return keyed_post(SIMULATIONS, body=parameters)

    def show(self, session_id: str) -> ApiRequest:
        return reading(f"{SIMULATIONS}/{segment(session_id)}")

    def peek(self, session_id: str, greeks: Greeks) -> ApiRequest:
        return reading(f"{SIMULATIONS}/{segment(session_id)}/snapshot", greeks=greeks)

    def step(
        self, session_id: str, *, expected_step: int | None, count: int | None, greeks: Greeks
    ) -> ApiRequest:
        query = {"expected_step": expected_step, "count": count, "greeks": greeks}
        return keyed_post(f"{SIMULATIONS}/{segment(session_id)}/step", query=query)

    def delete(self, session_id: str) -> ApiRequest:
        return ApiRequest(method="DELETE", path=f"{SIMULATIONS}/{segment(session_id)}")

    def export(self, session_id: str, query: Mapping[str, Any]) -> ApiRequest:
        return reading(f"{SIMULATIONS}/{segment(session_id)}/export", **query)

    def fan(self, session_id: str, query: Mapping[str, Any]) -> ApiRequest:
        return reading(f"{SIMULATIONS}/{segment(session_id)}/fan", **query)

    def activity(self, session_id: str, query: Mapping[str, Any]) -> ApiRequest:
        return reading(f"{SIMULATIONS}/{segment(session_id)}/activity", **query)

    def stream(self, session_id: str, query: Mapping[str, Any], last_seen: str | None) -> ApiRequest:
        headers = {} if last_seen is None else {"Last-Event-ID": last_seen}
        return ApiRequest(
            method="GET", path=f"{SIMULATIONS}/{segment(session_id)}/stream", query=query, headers=headers
        )
